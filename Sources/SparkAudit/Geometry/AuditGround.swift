package import SparkCore

/// Whether others see a distance to the person.
package enum Exposure: String, CaseIterable, Sendable {
    case shown
    case hidden
}

/// What the server promises about places, and what the audit holds it to.
package struct AuditGround: Sendable {
    private let cellMetres: Double
    private let hiddenCellMetres: Double
    private let floorMetres: Double
    private let fine: CellGrid
    private let coarse: CellGrid

    /// - Parameters:
    ///   - cellMetres: as `profiles.cell_metres`.
    ///   - hiddenCellMetres: as `profiles.hidden_cell_metres`.
    ///   - floorMetres: as `profiles.audit_floor_metres`: how near no attack may come; 0 for half the cell.
    package init(cellMetres: Int, hiddenCellMetres: Int, floorMetres: Int) {
        self.cellMetres = Double(cellMetres)
        self.hiddenCellMetres = Double(hiddenCellMetres)
        self.floorMetres = Double(floorMetres)
        self.fine = CellGrid(size: Distance(metres: Double(cellMetres)))
        self.coarse = CellGrid(size: Distance(metres: Double(hiddenCellMetres)))
    }

    /// The side of the cell at whose centre people are published, in metres.
    func cell(_ exposure: Exposure) -> Double { exposure == .shown ? cellMetres : hiddenCellMetres }

    /// How near no attack may come, in metres.
    package func floor(_ exposure: Exposure) -> Double { floorMetres > 0 ? floorMetres : cell(exposure) / 2 }

    /// The centre at which somebody is published who came to a place from nowhere.
    package func published(_ place: Coordinate, _ exposure: Exposure) -> Coordinate {
        let centre = fine.snap(place)
        return exposure == .shown ? centre : coarse.snap(centre)
    }
}
