public import SparkKit

/// The section `push`.
public struct PushConfiguration: ModuleConfiguration {
    public static let settings: [Setting] = PushProviderSettings.settings

    let providers: PushProviderSettings

    public init(_ values: SettingValues) {
        self.providers = PushProviderSettings(values)
    }
}
