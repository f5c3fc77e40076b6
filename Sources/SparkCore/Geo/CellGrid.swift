#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The fixed grid to which every place is snapped before it is stored, compared or shown.
///
/// Rows of equal height run from pole to pole; each row is cut into as many equal columns as make its cells about
/// square. So every point of the Earth lies in exactly one cell, the antimeridian is an ordinary border, and a cell is
/// about as wide as it is high everywhere but in the few rows around a pole.
///
/// Why: exact, rounded or banded distances are undone to a few metres by asking often enough; arithmetic on cell centres
/// leaves nothing finer than the cell to find (Dhondt et al., USENIX Security 2024).
public struct CellGrid: Hashable, Sendable {
    /// The height of a cell.
    public let size: Distance
    private let rows: Int

    /// - Parameter size: 3 m to 100 km; clamped. The columns of smaller cells would not fit into a stored cell.
    public init(size: Distance) {
        let metres = min(max(size.metres, 3), 100_000)
        self.rows = Int((Double.pi * Coordinate.earthRadiusMetres / metres).rounded(.up))
        self.size = Distance(metres: metres)
    }

    /// The cell that holds a place.
    public func cell(at place: Coordinate) -> Cell {
        let row = min(rows - 1, Int((place.latitude + 90) / 180 * Double(rows)))
        let columns = columns(in: row)
        let column = min(columns - 1, Int((place.longitude + 180) / 360 * Double(columns)))
        return Cell(row: row, column: column)
    }

    /// The middle of a cell; nil when the grid has no such cell.
    public func centre(of cell: Cell) -> Coordinate? {
        guard (0..<rows).contains(cell.row) else { return nil }
        let columns = columns(in: cell.row)
        guard (0..<columns).contains(cell.column) else { return nil }
        return Coordinate(
            trustedLatitude: latitude(ofRow: cell.row),
            longitude: (Double(cell.column) + 0.5) / Double(columns) * 360 - 180)
    }

    /// The middle of the cell that holds a place.
    public func snap(_ place: Coordinate) -> Coordinate {
        centre(of: cell(at: place)) ?? place
    }

    /// The cell for a place whose last cell is known: the old one as long as the place is less than `hysteresis` of a
    /// cell outside it, so that somebody who lives on a border does not flip to and fro (and betray the border).
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

/// A cell of a grid: row from the south pole, column from the antimeridian eastwards.
public struct Cell: RawRepresentable, Hashable, Sendable {
    public let row: Int
    public let column: Int

    init(row: Int, column: Int) {
        self.row = row
        self.column = column
    }

    /// Row and column packed into one integer; the key under which a cell is stored.
    public init(rawValue: Int64) {
        self.row = Int(rawValue >> 24)
        self.column = Int(rawValue & 0xFF_FFFF)
    }

    public var rawValue: Int64 { Int64(row) << 24 | Int64(column) }
}
