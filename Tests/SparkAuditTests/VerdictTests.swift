import SparkCore
import Testing

@testable import SparkAudit

@Suite("The verdict on an attack")
struct VerdictTests {
    private static let ground = AuditGround(cellMetres: 1_000, hiddenCellMetres: 10_000, floorMetres: 0)

    private func homes(_ exposure: Exposure, _ count: Int = 24) throws -> [Home] {
        var random = SplitMix64(seed: 5)
        return try (0..<count).map { try #require(HomePlaces.home($0, exposure, on: Self.ground, using: &random)) }
    }

    private func outcome(_ exposure: Exposure, _ homes: [Home], _ guess: (Home) -> Coordinate?) -> AttackOutcome {
        AttackOutcome(
            attack: "guess", exposure: exposure, floor: Self.ground.floor(exposure), requests: 0,
            estimates: homes.map { (place: guess($0), home: $0) })
    }

    @Test(
        "homes are 0.62 of a cell from where they are published, and their images are published alike",
        arguments: Exposure.allCases)
    func homesInCorners(exposure: Exposure) throws {
        for home in try homes(exposure) {
            #expect(Self.ground.published(home.place, exposure) == home.published)
            #expect(home.place.distance(to: home.published).metres >= 0.62 * Self.ground.cell(exposure))
            #expect(home.images.count == 3)
            for image in home.images { #expect(Self.ground.published(image, exposure) == home.published) }
        }
    }

    @Test("every town has a home for every seed", arguments: [(1_000, 10_000), (500, 5_000), (2_000, 2_000)])
    func homesEverywhere(cell: Int, hiddenCell: Int) {
        let ground = AuditGround(cellMetres: cell, hiddenCellMetres: hiddenCell, floorMetres: 0)
        for seed in 1...20 {
            var random = SplitMix64(seed: UInt64(seed))
            for exposure in Exposure.allCases {
                for number in 0..<24 {
                    #expect(
                        HomePlaces.home(number, exposure, on: ground, using: &random) != nil, "\(seed) \(exposure) \(number)")
                }
            }
        }
    }

    @Test(
        "an attack that finds the published centre does not succeed, one that finds the home does", arguments: Exposure.allCases)
    func centreAndHome(exposure: Exposure) throws {
        let homes = try homes(exposure, 6)
        let centre = outcome(exposure, homes) { $0.published }
        #expect(centre.holds && centre.withinFloor == 0 && centre.expectedByChance == 0)
        let home = outcome(exposure, homes) { $0.place.moved(by: Offset(east: 30, north: 30)) }
        #expect(!home.holds && home.withinFloor == 6)
    }

    @Test("an attack that finds a third of the homes succeeds")
    func someFound() throws {
        let homes = try homes(.shown)
        var number = 0
        let some = outcome(.shown, homes) { home in
            number += 1
            return number.isMultiple(of: 3) ? home.place : home.published
        }
        #expect(!some.holds && some.withinFloor == 8)
    }

    @Test("guesses around the centre come near by luck, and luck is not success")
    func luck() throws {
        let homes = try homes(.shown)
        var (random, near, through) = (SplitMix64(seed: 9), 0, 0)
        for _ in 0..<150 {
            let lucky = outcome(.shown, homes) { home in
                home.published.moved(by: Offset(east: random.normal() * 400, north: random.normal() * 400))
            }
            near += lucky.withinFloor
            if !lucky.holds { through += 1 }
        }
        #expect(near > 150 && through <= 1)
    }

    @Test("without an estimate there is no breach")
    func nothing() throws {
        let none = outcome(.hidden, try homes(.hidden, 3)) { _ in nil }
        #expect(none.holds && none.least == nil && none.victims == 3)
    }

    @Test("attackers attackers who may not see the victims at all must not even find their cells")
    func blind() throws {
        func outcome(_ guess: (Home) -> Coordinate?) throws -> AttackOutcome {
            AttackOutcome(
                attack: "guess", exposure: .shown, floor: 500, requests: 0, mayLocate: false,
                estimates: try homes(.shown, 3).map { (guess($0), $0) })
        }
        #expect(try outcome { _ in nil }.holds)
        #expect(try !outcome { $0.published }.holds)
    }

    @Test("a floor larger than the cells allow is broken by finding the centre")
    func floorBeyondCells() throws {
        let outcome = AttackOutcome(
            attack: "guess", exposure: .shown, floor: 900, requests: 0, estimates: try homes(.shown).map { ($0.published, $0) })
        #expect(!outcome.holds && outcome.withinFloor == 24)
    }

    @Test("a configured floor replaces half the cell")
    func ownFloor() {
        #expect(Self.ground.floor(.shown) == 500 && Self.ground.floor(.hidden) == 5_000)
        let own = AuditGround(cellMetres: 1_000, hiddenCellMetres: 10_000, floorMetres: 300)
        #expect(own.floor(.shown) == 300 && own.floor(.hidden) == 300)
    }
}
