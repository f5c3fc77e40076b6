import SparkCore

/// The sizes of the two grids, as configured and as kept in the database.
struct GridSizes: Hashable, Sendable {
    let cellMetres: Int
    let hiddenCellMetres: Int
}

/// What of a place leaves the request that brought it: its cell, and the centre that others' arithmetic runs on.
///
/// The published place is the centre of a cell, so nothing finer than the cell can come out. Who hides the distance is published at
/// the centre of the coarse cell that holds the centre of the fine one, and there, too, stays in the last one until well outside:
/// who is seen in four coarse cells within an hour lives where they meet.
struct PublishedPlaces: Sendable {
    let sizes: GridSizes
    private let fine: CellGrid
    private let coarse: CellGrid

    init(_ sizes: GridSizes) {
        self.sizes = sizes
        self.fine = CellGrid(size: Distance(metres: Double(sizes.cellMetres)))
        self.coarse = CellGrid(size: Distance(metres: Double(sizes.hiddenCellMetres)))
    }

    /// The cell for a place; the last one as long as the place is just outside it.
    func cell(at place: Coordinate, last: Cell?) -> Cell {
        guard let last else { return fine.cell(at: place) }
        return fine.cell(at: place, last: last)
    }

    /// The middle of a cell; nil without a cell, and for a cell of another grid.
    func centre(of cell: Cell?) -> Coordinate? { cell.flatMap(fine.centre) }

    /// The place that others' distances are measured to and from.
    /// - Parameter last: the one before; nil if there was none.
    func published(_ cell: Cell?, hidesDistance: Bool, last: Coordinate?) -> Coordinate? {
        guard let centre = centre(of: cell), hidesDistance else { return centre(of: cell) }
        guard let last else { return coarse.snap(centre) }
        return coarse.centre(of: coarse.cell(at: centre, last: coarse.cell(at: last)))
    }

    /// How far somebody has moved at least who went from one cell into another: both may have stood at the near border.
    func leastMetres(from last: Cell?, to cell: Cell) -> Double {
        guard let from = centre(of: last), let to = centre(of: cell) else { return 0 }
        return max(0, from.distance(to: to).metres - 2 * fine.size.metres)
    }
}
