package import SparkCore

/// Whether other users see the person's distance.
package enum Exposure: String, CaseIterable, Sendable {
    case shown
    case hidden
}

/// The server's guarantees about places, which the audit verifies.
package struct AuditGround: Sendable {
    private let cellMetres: Double
    private let hiddenCellMetres: Double
    private let floorMetres: Double
    private let fine: CellGrid
    private let coarse: CellGrid

    /// - Parameters:
    ///   - cellMetres: the setting `profiles.cell_metres`.
    ///   - hiddenCellMetres: the setting `profiles.hidden_cell_metres`.
    ///   - floorMetres: the setting `profiles.audit_floor_metres`: attacks must not get closer; 0 means half the cell.
    package init(cellMetres: Int, hiddenCellMetres: Int, floorMetres: Int) {
        self.cellMetres = Double(cellMetres)
        self.hiddenCellMetres = Double(hiddenCellMetres)
        self.floorMetres = Double(floorMetres)
        self.fine = CellGrid(size: Distance(metres: Double(cellMetres)))
        self.coarse = CellGrid(size: Distance(metres: Double(hiddenCellMetres)))
    }

    /// The side of the cell at whose centre a person is published, in metres.
    func cell(_ exposure: Exposure) -> Double { exposure == .shown ? cellMetres : hiddenCellMetres }

    /// The distance that no attack may get below, in metres.
    package func floor(_ exposure: Exposure) -> Double { floorMetres > 0 ? floorMetres : cell(exposure) / 2 }

    /// The published centre of a person who first reports this place.
    package func published(_ place: Coordinate, _ exposure: Exposure) -> Coordinate {
        let centre = fine.snap(place)
        return exposure == .shown ? centre : coarse.snap(centre)
    }
}
