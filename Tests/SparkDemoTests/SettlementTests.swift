import SparkCore
import SparkKit
import Testing

@testable import SparkDemo

@Suite("Where the people live")
struct SettlementTests {
    let cities = DemoVocabulary.embedded.cities

    @Test("the cities split the town into runs without gap or overlap", arguments: [0, 1, 7, 999, 10_000, 1_000_000])
    func partition(count: Int) {
        let settlements = Settlements(count: count, cities: cities)
        var next = 0
        for settlement in settlements.all {
            #expect(settlement.people.lowerBound == next && !settlement.people.isEmpty)
            next = settlement.people.upperBound
        }
        #expect(next == count)
    }

    @Test("ten thousand people inhabit at least 200 cities, a million has a metropolis of 20,000")
    func sizes() {
        #expect(Settlements(count: 10_000, cities: cities).all.count >= 200)
        let largest = Settlements(count: 1_000_000, cities: cities).all.map(\.people.count).max() ?? 0
        #expect(largest >= 20_000 && largest < 100_000)
    }

    @Test("neighbours are the run that holds the number, the same for everybody in it")
    func neighbours() {
        let town = GeneratedTown.small()
        var index = 0
        while index < town.count {
            let run = town.neighbours(of: index)
            #expect(run.lowerBound == index && run.contains(index) && town.neighbours(of: run.upperBound - 1) == run)
            index = max(index + 1, run.upperBound)
        }
        #expect(index == town.count)
    }

    @Test("everybody lives within 60 km of the centre of a city, and half within 15 km", arguments: [7, 20_000])
    func distances(count: Int) {
        let town = GeneratedTown.small(count)
        let distances = Settlements(count: count, cities: cities).all.flatMap { settlement in
            settlement.people.map { settlement.city.centre.distance(to: town.person($0).place).metres }
        }
        #expect(distances.count == count && distances.allSatisfy { $0 < 60_000 })
        #expect(share(of: distances) { $0 < 15_000 } > 0.5)
    }

    @Test("the density falls from the centre outwards, on all sides alike")
    func shape() throws {
        let tokyo = try #require(cities.first)
        let settlement = Settlement(city: tokyo, people: 0..<20_000)
        var draw = Draw(seed: 1, stream: 1)
        let places = (0..<20_000).map { settlement.place(of: $0, quantiles: .exponentialDisc, draw: &draw) }
        let distances = places.map { tokyo.centre.distance(to: $0).metres / 1_000 }
        // People per area in the disc of 5 km and in the rings of 10 and 20 km around it.
        let densities = [(0.0, 5.0), (5.0, 15.0), (15.0, 35.0)].map { near, far in
            Double(distances.count { $0 >= near && $0 < far }) / (far * far - near * near)
        }
        #expect(densities[0] > 2 * densities[1] && densities[1] > 2 * densities[2])
        #expect(abs(share(of: places) { $0.latitude > tokyo.centre.latitude } - 0.5) < 0.02)
        #expect(abs(share(of: places) { $0.longitude > tokyo.centre.longitude } - 0.5) < 0.02)
        // As far to the east as to the north: the degrees of longitude are stretched.
        let north = places.map { abs($0.latitude - tokyo.centre.latitude) }.reduce(0, +)
        let east = places.map { abs($0.longitude - tokyo.centre.longitude) }.reduce(0, +) * cosine(latitude: 35.6812)
        #expect(abs(north / east - 1) < 0.03)
    }

    @Test("neighbours in number live nearer to each other than strangers of the same city")
    func order() throws {
        let tokyo = try #require(cities.first)
        let settlement = Settlement(city: tokyo, people: 0..<5_000)
        var draw = Draw(seed: 1, stream: 1)
        let places = (0..<5_000).map { settlement.place(of: $0, quantiles: .exponentialDisc, draw: &draw) }
        let beside = (0..<4_999).map { places[$0].distance(to: places[$0 + 1]).metres }.sorted()
        let strangers = (0..<2_500).map { places[$0].distance(to: places[$0 + 2_500]).metres }.sorted()
        #expect(beside[2_500] * 10 < strangers[1_250])
    }

    @Test("a city at the antimeridian, and one at a pole, get valid places near them")
    func edges() throws {
        for (latitude, longitude) in [("-18", "179.99"), ("65", "-179.99"), ("90", "0"), ("-89.9", "-180")] {
            let city = try #require(City(fields: ["Edge", "XX", Substring(latitude), Substring(longitude), "100000"]))
            let settlement = Settlement(city: city, people: 0..<500)
            var draw = Draw(seed: 3, stream: 3)
            for index in 0..<500 {
                let place = settlement.place(of: index, quantiles: .exponentialDisc, draw: &draw)
                #expect(Coordinate(latitude: place.latitude, longitude: place.longitude) == place)
                #expect(city.centre.distance(to: place).metres < 100_000)
            }
        }
    }
}
