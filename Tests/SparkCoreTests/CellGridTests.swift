import Testing

@testable import SparkCore

@Suite("The grid of cells")
struct CellGridTests {
    private static let sizes: [Double] = [100, 1_000, 2_500, 10_000, 100_000]

    @Test("every point of the Earth lies in its cell, and the cell's centre within a diagonal", arguments: sizes)
    func everyPointHasACell(metres: Double) throws {
        let grid = CellGrid(size: Distance(metres: metres))
        try withSeed("cells of \(metres) m") { random, comment in
            for _ in 0..<100_000 {
                let place = Coordinate.random(using: &random)
                let cell = grid.cell(at: place)
                let centre = try #require(grid.centre(of: cell), comment)
                guard place.distance(to: centre).metres <= metres * 2.0.squareRoot(), grid.cell(at: centre) == cell,
                    abs(place.latitude - centre.latitude) <= 90 * metres / Self.halfMeridian * (1 + 1e-9) + 1e-12
                else {
                    Issue.record("\(place) is not in its cell; \(comment)")
                    return
                }
            }
        }
    }

    private static let halfMeridian = Double.pi * Coordinate.earthRadiusMetres

    @Test("a cell is one key and the key one cell")
    func keysAreUnique() {
        let grid = CellGrid(size: Distance(metres: 1_000))
        withSeed("cell keys") { random, comment in
            for _ in 0..<10_000 {
                let cell = grid.cell(at: .random(using: &random))
                #expect(Cell(rawValue: cell.rawValue) == cell, comment)
            }
        }
    }

    @Test("all points of a cell are published as one point")
    func snappingForgets() throws {
        let grid = CellGrid(size: Distance(metres: 1_000))
        let place = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        let centre = grid.snap(place)
        withSeed("points of a cell") { random, comment in
            for _ in 0..<1_000 {
                let near = Coordinate(
                    trustedLatitude: centre.latitude + Double.random(in: -0.004...0.004, using: &random),
                    longitude: centre.longitude + Double.random(in: -0.006...0.006, using: &random))
                #expect(grid.snap(near) == centre, comment)
            }
        }
    }

    @Test("180 degrees east and west are the same place")
    func antimeridianIsOnePlace() throws {
        let grid = CellGrid(size: Distance(metres: 1_000))
        let east = try #require(Coordinate(latitude: -17, longitude: 180))
        let west = try #require(Coordinate(latitude: -17, longitude: -180))
        #expect(grid.cell(at: east) == grid.cell(at: west))
        let before = try #require(Coordinate(latitude: -17, longitude: 179.999_999))
        #expect(grid.cell(at: before) != grid.cell(at: west))
        #expect(grid.snap(before).distance(to: grid.snap(west)).metres < 1_100)
    }

    @Test("poles have cells")
    func polesHaveCells() throws {
        let grid = CellGrid(size: Distance(metres: 1_000))
        for latitude in [-90.0, 90.0] {
            let pole = try #require(Coordinate(latitude: latitude, longitude: 0))
            #expect(grid.snap(pole).distance(to: pole).metres < 1_000)
        }
    }

    @Test("keys of other grids have no centre and do not trap")
    func foreignKeys() {
        let grid = CellGrid(size: Distance(metres: 10_000))
        for key in [Int64.min, -1, 0x7FFF_FFFF_FFFF_FFFF, 0xFF_FFFF, 1 << 40] {
            let cell = Cell(rawValue: key)
            #expect(grid.centre(of: cell) == nil)
            _ = grid.cell(at: Coordinate(trustedLatitude: 1, longitude: 1), last: cell)
        }
    }

    @Test("sizes out of range are clamped")
    func sizesAreClamped() {
        #expect(CellGrid(size: Distance(metres: 1)).size.metres == 3)
        #expect(CellGrid(size: Distance(metres: 1e9)).size.metres == 100_000)
    }

    @Test("a person who walks back and forth over a border stays in the cell; one who goes on leaves it")
    func hysteresis() throws {
        let grid = CellGrid(size: Distance(metres: 1_000))
        let home = grid.snap(try #require(Coordinate(latitude: 52.52, longitude: 13.405)))
        let cell = grid.cell(at: home)
        func north(_ cells: Double) -> Coordinate {
            Coordinate(trustedLatitude: home.latitude + cells * 1_000 / Self.halfMeridian * 180, longitude: home.longitude)
        }
        #expect(grid.cell(at: north(0.6)) != cell)
        #expect(grid.cell(at: north(0.6), last: cell) == cell)
        #expect(grid.cell(at: north(-0.64), last: cell) == cell)
        #expect(grid.cell(at: north(0.7), last: cell) != cell)
        #expect(grid.cell(at: north(0.7), last: cell) == grid.cell(at: north(0.7)))
    }

    @Test("hysteresis holds across the antimeridian")
    func hysteresisAtTheAntimeridian() throws {
        let grid = CellGrid(size: Distance(metres: 1_000))
        let west = try #require(Coordinate(latitude: 0, longitude: -179.9999))
        let east = try #require(Coordinate(latitude: 0, longitude: 179.9999))
        let cell = grid.cell(at: west)
        #expect(grid.cell(at: east) != cell)
        #expect(grid.cell(at: east, last: cell) == cell)
    }

    @Test("hysteresis keeps nobody beyond its bound")
    func hysteresisIsBounded() {
        let grid = CellGrid(size: Distance(metres: 1_000))
        withSeed("hysteresis") { random, comment in
            for _ in 0..<20_000 {
                let place = Coordinate.random(using: &random)
                let step = Coordinate(
                    trustedLatitude: min(90, max(-90, place.latitude + Double.random(in: -0.02...0.02, using: &random))),
                    longitude: place.longitude)
                let last = grid.cell(at: place)
                let kept = grid.cell(at: step, last: last)
                guard kept == last || kept == grid.cell(at: step) else {
                    Issue.record("neither the old cell nor the found one; \(comment)")
                    return
                }
                guard let centre = grid.centre(of: kept), centre.distance(to: step).metres <= 1_415 * 1.3 else {
                    Issue.record("kept too far away; \(comment)")
                    return
                }
            }
        }
    }
}
