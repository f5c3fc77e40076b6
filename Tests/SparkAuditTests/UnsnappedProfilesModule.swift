import SparkKit
import SparkProfiles

/// Profiles in which snapping is as good as switched off: cells of 3 m. No setting of a server can do this.
struct UnsnappedProfilesModule: SparkModule {
    struct Configuration: ModuleConfiguration {
        static let settings = ProfilesConfiguration.settings
        let profiles: ProfilesConfiguration

        init(_ values: SettingValues) {
            profiles = ProfilesConfiguration(
                SettingValues(
                    defaultsOf: Self.settings,
                    [
                        "cell_metres": .integer(3), "hidden_cell_metres": .integer(3),
                        "location_changes_per_hour": .integer(10_000), "max_speed_kmh": .integer(0),
                    ]))
        }
    }

    static let manifest = ProfilesModule.manifest
    private let module: ProfilesModule

    init(configuration: Configuration, context: ModuleContext) throws {
        module = try ProfilesModule(configuration: configuration.profiles, context: context)
    }

    func register(in registrar: inout ModuleRegistrar) { module.register(in: &registrar) }
}
