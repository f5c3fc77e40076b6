import SparkCore
public import SparkKit

/// The configuration section `push`.
public struct PushConfiguration: ModuleConfiguration {
    /// The settings of the section, with their defaults and bounds.
    public static let settings: [Setting] =
        [
            .integer(
                "batch_milliseconds", 0...60_000, default: 2_000,
                "Events of one person and kind that come within this time become one push."),
            .integer("batch_size", 1...1_000, default: 50, "This many events become one push without waiting longer."),
            .integer(
                "active_seconds", 0...3_600, default: 75,
                "People in the app get no push; the server looks again after this time, in case the connection was dead."),
            .integer(
                "daily_cap", 1...10_000, default: 100,
                "Maximum number of pushes that one person gets in a day of their time zone."),
            .integer("expiry_hours", 1...672, default: 24, "Age at which a push that could not be sent is given up."),
            .choice(
                "language", PushLanguage.allCases.map(\.rawValue), default: PushLanguage.en.rawValue,
                "Language for devices that name none."),
            .integer("concurrency", 1...1_000, default: 100, "Pushes under way at once to one provider."),
        ] + PushProviderSettings.settings

    let rules: PushRules
    let language: PushLanguage
    let concurrency: Int
    let providers: PushProviderSettings

    /// Reads the section from validated values.
    public init(_ values: SettingValues) {
        self.rules = PushRules(
            window: .milliseconds(values.integer("batch_milliseconds")), batchSize: values.integer("batch_size"),
            activeRecheck: values.seconds("active_seconds"), dailyCap: values.integer("daily_cap"),
            lifetime: .hours(values.integer("expiry_hours")))
        self.language = PushLanguage(rawValue: values.text("language")) ?? .en
        self.concurrency = values.integer("concurrency")
        self.providers = PushProviderSettings(values)
    }
}
