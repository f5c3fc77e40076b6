import SparkCore
import SparkKit
import Testing

@testable import SparkDemo

@Suite("Identifiers of the town")
struct IdentifierTests {
    @Test("identifiers rise strictly with the number, also at five million people", arguments: [1, 7, 10_000, 5_000_000])
    func increasing(count: Int) {
        let town = GeneratedTown.small(count)
        // All of a small town; the ends and 20,000 numbers in between of a large one.
        let step = max(1, count / 20_000)
        for index in stride(from: 1, to: count, by: step) { #expect(town.id(index - 1) < town.id(index)) }
        for index in max(1, count - 1_000)..<max(1, count) where town.id(index - 1) >= town.id(index) {
            Issue.record("the identifiers do not rise at \(index)")
        }
        #expect(town.id(0).rawValue > 0)
    }

    @Test("a person has the identifier of their number, and a wire form that reads back")
    func agreement() {
        let town = GeneratedTown.small()
        for index in stride(from: 0, to: town.count, by: 97) {
            let id = town.id(index)
            #expect(town.person(index).id == id && UserID(wire: id.wire) == id)
        }
        #expect(Set((0..<town.count).map(town.id)).count == town.count)
    }

    @Test("the server's own identifiers come after the town's")
    func beforeTheServer() {
        let town = GeneratedTown.small()
        let generator = IdentifierGenerator(
            clock: ManualClock(GeneratedTown.noon), random: SeededRandomSource(seed: 1))
        #expect(town.id(town.count - 1) < generator.next(UserKind.self))
    }

    @Test("a clock that is wrong by decades spoils neither order nor uniqueness")
    func wrongClock() {
        for milliseconds: Int64 in [-4_000_000_000_000, 0, 1_577_836_800_000, 9_000_000_000_000] {
            let town = GeneratedTown.small(1_000, now: Timestamp(milliseconds: milliseconds))
            #expect(town.id(0).rawValue > 0)
            #expect((1..<1_000).allSatisfy { town.id($0 - 1) < town.id($0) })
            #expect(town.person(999).lastActiveAt <= town.now)
        }
    }
}
