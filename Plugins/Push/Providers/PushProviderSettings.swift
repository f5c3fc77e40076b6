import SparkKit

/// What the operator says of the providers.
struct PushProviderSettings: Sendable {
    static let settings: [Setting] = []

    init(_ values: SettingValues) {}
}
