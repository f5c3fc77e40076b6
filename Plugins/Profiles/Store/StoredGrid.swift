import SparkKit
import SparkStorage

/// The grid that made the stored cells. A cell number has no meaning in another grid, so the sizes are stored beside the cells,
/// and a configuration with other sizes is refused.
enum StoredGrid {
    /// The stored sizes; nil before the first start.
    static func sizes(in session: SQLSession) throws -> GridSizes? {
        try session.row("SELECT cell_metres, hidden_cell_metres FROM profiles_grid WHERE id = 1") {
            GridSizes(cellMetres: $0[0], hiddenCellMetres: $0[1])
        }
    }

    /// Writes the configured sizes if they differ. They may change until the first cell is stored.
    /// - Throws: `ModuleFault` if there are cells of another grid.
    static func adopt(_ configured: GridSizes, in session: SQLSession) throws {
        let stored = try sizes(in: session)
        guard stored != configured else { return }
        try check(configured, in: session)
        try session.run(
            "INSERT INTO profiles_grid (id, cell_metres, hidden_cell_metres) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET cell_metres = excluded.cell_metres, hidden_cell_metres = excluded.hidden_cell_metres",
            configured.cellMetres,
            configured.hiddenCellMetres)
    }

    /// Compares the configured sizes with the stored ones.
    /// - Throws: `ModuleFault` if there are cells of another grid.
    static func check(_ configured: GridSizes, in session: SQLSession) throws {
        guard let stored = try sizes(in: session), stored != configured else { return }
        let hasCells = try session.value("SELECT EXISTS (SELECT 1 FROM profiles_users WHERE cell IS NOT NULL)", as: Bool.self)
        guard hasCells == true else { return }
        throw ModuleFault(
            module: ProfilesModule.manifest.id,
            """
            the places in this database were snapped with cell_metres=\(stored.cellMetres) and \
            hidden_cell_metres=\(stored.hiddenCellMetres), but \(configured.cellMetres) and \
            \(configured.hiddenCellMetres) are configured; set the stored sizes again
            """)
    }
}
