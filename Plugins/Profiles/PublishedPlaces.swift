import SparkCore

/// The cell sizes of the two grids, as configured and as stored.
struct GridSizes: Hashable, Sendable {
    let cellMetres: Int
    let hiddenCellMetres: Int
}

/// Turns an exact place into what may outlive its request: a cell, and the published place that distances are computed from.
///
/// A published place is the centre of a cell, so it reveals nothing finer than the cell. For a person who hides the distance, it
/// is the centre of the coarse cell that contains the centre of the fine one, and the person stays in the last coarse cell until
/// well outside it. Otherwise, a person seen in four coarse cells within an hour could be located where the four meet.
struct PublishedPlaces: Sendable {
    let sizes: GridSizes
    private let fine: CellGrid
    private let coarse: CellGrid

    init(_ sizes: GridSizes) {
        self.sizes = sizes
        self.fine = CellGrid(size: Distance(metres: Double(sizes.cellMetres)))
        self.coarse = CellGrid(size: Distance(metres: Double(sizes.hiddenCellMetres)))
    }

    /// The cell of a place. Stays the last cell while the place is just outside it.
    func cell(at place: Coordinate, last: Cell?) -> Cell {
        guard let last else { return fine.cell(at: place) }
        return fine.cell(at: place, last: last)
    }

    /// The centre of a cell; nil without a cell, and for a cell of another grid.
    func centre(of cell: Cell?) -> Coordinate? { cell.flatMap(fine.centre) }

    /// The published place, from which the distances to others are computed.
    /// - Parameter last: the previous published place, if any.
    func published(_ cell: Cell?, hidesDistance: Bool, last: Coordinate?) -> Coordinate? {
        guard let centre = centre(of: cell), hidesDistance else { return centre(of: cell) }
        guard let last else { return coarse.snap(centre) }
        return coarse.centre(of: coarse.cell(at: centre, last: coarse.cell(at: last)))
    }

    /// The least distance that a move between two cells can have: both places may be at the near border.
    func leastMetres(from last: Cell?, to cell: Cell) -> Double {
        guard let from = centre(of: last), let to = centre(of: cell) else { return 0 }
        return max(0, from.distance(to: to).metres - 2 * fine.size.metres)
    }
}
