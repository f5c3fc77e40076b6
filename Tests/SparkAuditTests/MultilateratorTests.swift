import SparkCore
import Testing

@testable import SparkAudit

@Suite("Multilateration")
struct MultilateratorTests {
    static let places: [(Double, Double)] = [
        (48.8566, 2.3522), (0, 0), (-16.85, 179.999), (66.03, -179.995), (78.2232, 15.6267), (89.97, 40), (-89.99, -120),
    ]

    private func anchors(_ count: Int, around place: Coordinate, _ random: inout SplitMix64) -> [Coordinate] {
        Spy.bearings(count, using: &random).map {
            place.moved(by: Offset(bearing: $0, metres: .random(in: 2_000...20_000, using: &random)))
        }
    }

    @Test("a step and the way back agree anywhere on the Earth", arguments: places)
    func steps(latitude: Double, longitude: Double) throws {
        let place = try #require(Coordinate(latitude: latitude, longitude: longitude))
        for (east, north) in [(700.0, 0.0), (-300, 400), (0, -9_000), (25_000, 12_000)] {
            let offset = Offset(east: east, north: north)
            let there = place.moved(by: offset)
            #expect(abs(place.distance(to: there).metres - offset.metres) < 0.01)
            let back = place.offset(to: there)
            #expect(abs(back.east - east) < 0.1 && abs(back.north - north) < 0.1)
        }
    }

    @Test("exact distances give the place to the metre", arguments: places)
    func exact(latitude: Double, longitude: Double) throws {
        let place = try #require(Coordinate(latitude: latitude, longitude: longitude))
        var random = SplitMix64(seed: 7)
        for count in [3, 4, 12] {
            let clues = anchors(count, around: place, &random).map { Clue($0, metres: $0.distance(to: place).metres) }
            let found = try #require(Multilaterator.place(clues, from: place.moved(by: Offset(east: 3_000, north: -2_000))))
            #expect(found.distance(to: place).metres < 1, "\(count) anchors")
        }
    }

    @Test("places at one unknown distance give the place and the distance")
    func middle() throws {
        let place = try #require(Coordinate(latitude: 35.6762, longitude: 139.6503))
        var random = SplitMix64(seed: 3)
        let anchors = Spy.bearings(6, using: &random).map { place.moved(by: Offset(bearing: $0, metres: 37_000)) }
        let found = try #require(Multilaterator.middle(of: anchors, from: place.moved(by: Offset(east: 800, north: 900))))
        #expect(found.place.distance(to: place).metres < 1 && abs(found.metres - 37_000) < 1)
    }

    @Test("rounding to kilometres is undone to tens of metres by asking often enough")
    func rounded() throws {
        let place = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        var random = SplitMix64(seed: 11)
        let clues = anchors(200, around: place, &random).map { anchor in
            let metres = (anchor.distance(to: place).metres / 1_000).rounded() * 1_000
            return Clue(anchor, nearest: metres - 500, farthest: metres + 500)
        }
        let start = place.moved(by: Offset(east: 2_000, north: 2_000))
        let guess = try #require(Multilaterator.place(clues, from: start))
        #expect(guess.distance(to: place).metres < 100)
        #expect(FeasibleRegion.middle(of: clues, around: guess, reach: 1_000).distance(to: place).metres < 30)
    }

    @Test("too few anchors, or anchors on one spot, give no result")
    func degenerate() throws {
        let place = try #require(Coordinate(latitude: 10, longitude: 10))
        #expect(Multilaterator.place([], from: place) == nil)
        #expect(Multilaterator.place([Clue(place, metres: 5), Clue(place, metres: 6)], from: place) == nil)
        let spot = [Clue](repeating: Clue(place, metres: 5_000), count: 5)
        let start = place.moved(by: Offset(east: 100, north: 0))
        // The result is as far from the spot as the clues say, and nothing traps.
        if let found = Multilaterator.place(spot, from: start) { #expect(found.latitude.isFinite && found.longitude.isFinite) }
    }
}
