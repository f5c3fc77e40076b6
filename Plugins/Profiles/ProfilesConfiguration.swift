public import SparkKit

/// The configuration section `profiles`.
public struct ProfilesConfiguration: ModuleConfiguration {
    let gridSizes: GridSizes
    let locationLimits: LocationLimits
    /// The audit `spark audit location` fails if an attack locates people more precisely than this; 0 for half the cell.
    package let auditFloorMetres: Int

    /// The size of the cells to which places are snapped.
    package var cellMetres: Int { gridSizes.cellMetres }
    /// The size of the cells for people who hide their distance.
    package var hiddenCellMetres: Int { gridSizes.hiddenCellMetres }

    /// The settings of the section, with their ranges and defaults.
    public static let settings: [Setting] = [
        .integer(
            "cell_metres", 100...20_000, default: 1_000,
            "Size of the cells to which every place is snapped before it is stored. Fixed once somebody has a place."),
        .integer(
            "hidden_cell_metres", 100...100_000, default: 10_000,
            "The same for people who hide their distance; not smaller than cell_metres."),
        .integer(
            "location_changes_per_hour", 1...10_000, default: 10,
            "How often a person may move to another cell within an hour."),
        .integer(
            "max_speed_kmh", 0...100_000, default: 1_000,
            "Highest speed at which people move, in kilometres an hour; 0 switches the check off."),
        .integer(
            "audit_floor_metres", 0...100_000, default: 0,
            "spark audit location fails when an attack comes nearer to people than this; 0: half of their cell."),
    ]

    /// People who hide their distance are not published more precisely than all others.
    public static func faults(of values: SettingValues) -> [SettingFault] {
        let (cell, hidden) = (values.integer("cell_metres"), values.integer("hidden_cell_metres"))
        guard hidden < cell else { return [] }
        return [
            SettingFault(
                "hidden_cell_metres", "cell_metres",
                reason: "hidden_cell_metres is \(hidden) and must not be smaller than cell_metres, which is \(cell)")
        ]
    }

    /// Reads the section from checked values.
    public init(_ values: SettingValues) {
        gridSizes = GridSizes(
            cellMetres: values.integer("cell_metres"), hiddenCellMetres: values.integer("hidden_cell_metres"))
        locationLimits = LocationLimits(
            changesPerHour: values.integer("location_changes_per_hour"),
            speedKilometresPerHour: values.integer("max_speed_kmh"))
        auditFloorMetres = values.integer("audit_floor_metres")
    }
}
