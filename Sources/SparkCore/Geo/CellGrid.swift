#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The fixed grid to which every place is snapped before it is stored, compared or shown.
///
/// Rows of equal height run from pole to pole. Each row is divided into equal columns, so many that its cells are about square.
/// Every point of the Earth is therefore in exactly one cell, the antimeridian is an ordinary border, and a cell is about as
/// wide as it is high everywhere except in the few rows around a pole.
///
/// Why: with enough queries, exact, rounded or banded distances reveal a place to within a few metres. Calculations on cell
/// centres reveal nothing finer than the cell (Dhondt et al., USENIX Security 2024).
public struct CellGrid: Hashable, Sendable {
    /// The height of a cell.
    public let size: Distance
    private let rows: Int

    /// - Parameter size: 3 m to 100 km; other values are clamped. With smaller cells, the column number would not fit into a
    ///   stored cell.
    public init(size: Distance) {
        let metres = min(max(size.metres, 3), 100_000)
        self.rows = Int((Double.pi * Coordinate.earthRadiusMetres / metres).rounded(.up))
        self.size = Distance(metres: metres)
    }

    /// The cell that contains a place.
    public func cell(at place: Coordinate) -> Cell {
        let row = min(rows - 1, Int((place.latitude + 90) / 180 * Double(rows)))
        let columns = columns(in: row)
        let column = min(columns - 1, Int((place.longitude + 180) / 360 * Double(columns)))
        return Cell(row: row, column: column)
    }

    /// The centre of a cell; nil if the grid has no such cell.
    public func centre(of cell: Cell) -> Coordinate? {
        guard (0..<rows).contains(cell.row) else { return nil }
        let columns = columns(in: cell.row)
        guard (0..<columns).contains(cell.column) else { return nil }
        return Coordinate(
            trustedLatitude: latitude(ofRow: cell.row),
            longitude: (Double(cell.column) + 0.5) / Double(columns) * 360 - 180)
    }

    /// The centre of the cell that contains a place.
    public func snap(_ place: Coordinate) -> Coordinate {
        centre(of: cell(at: place)) ?? place
    }

    /// The cell of a place whose previous cell is known. It stays the previous cell while the place is less than `hysteresis`
    /// of a cell outside it, so that a person near a border does not switch between cells (and reveal the border).
    public func cell(at place: Coordinate, last: Cell, hysteresis: Double = 0.15) -> Cell {
        let found = cell(at: place)
        guard found != last, (0..<rows).contains(last.row) else { return found }
        let rowOffset = abs((place.latitude + 90) / 180 * Double(rows) - Double(last.row) - 0.5)
        let columns = Double(columns(in: last.row))
        var columnOffset = abs((place.longitude + 180) / 360 * columns - Double(last.column) - 0.5)
        columnOffset = min(columnOffset, columns - columnOffset)
        return max(rowOffset, columnOffset) < 0.5 + hysteresis ? last : found
    }

    private func latitude(ofRow row: Int) -> Double { (Double(row) + 0.5) / Double(rows) * 180 - 90 }

    private func columns(in row: Int) -> Int {
        max(1, Int((2 * Double(rows) * cos(latitude(ofRow: row).radians)).rounded()))
    }
}

/// A cell of a grid. Rows count from the south pole, columns from the antimeridian eastwards.
public struct Cell: RawRepresentable, Hashable, Sendable {
    /// The row, from 0 at the south pole.
    public let row: Int
    /// The column, from 0 at the antimeridian.
    public let column: Int

    init(row: Int, column: Int) {
        self.row = row
        self.column = column
    }

    /// A cell from its stored key.
    public init(rawValue: Int64) {
        self.row = Int(rawValue >> 24)
        self.column = Int(rawValue & 0xFF_FFFF)
    }

    /// Row and column packed into one integer: the key under which a cell is stored.
    public var rawValue: Int64 { Int64(row) << 24 | Int64(column) }
}
