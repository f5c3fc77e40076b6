import SparkCore
public import SparkKit

/// Tells people's devices what happened while the app is not open: one decision per person and event.
public struct PushModule: SparkModule {
    public typealias Configuration = PushConfiguration

    public static let manifest = ModuleManifest(
        id: "push", summary: "Push to devices: decided once, kept until sent, taken back when no longer news",
        dependencies: ["accounts", "profiles", "matching", "chat"])

    public init(configuration: PushConfiguration, context: ModuleContext) throws {}

    public func register(in registrar: inout ModuleRegistrar) {}
}
