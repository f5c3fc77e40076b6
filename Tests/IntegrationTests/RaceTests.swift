import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("Likes at the same instant")
struct RaceTests {
    @Test("every pair that likes each other at once makes one match: none twice, none missing")
    func mutual() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let pairs = Scale.of(test: 100, soak: 10_000)
            let people = try await register(2 * pairs, on: spark)
            let found = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                // Both likes of a pair are sent at the same time; some of them twice.
                for index in 0..<(2 * pairs) {
                    let (person, partner) = (people[index], people[index ^ 1])
                    for _ in 0..<(index % 7 == 0 ? 2 : 1) {
                        group.addTask {
                            (index / 2, try await person.swipe(partner.id, "like")["match"]?["id"]?.string)
                        }
                    }
                    if index >= 512 { _ = try await group.next() }
                }
                var matches: [Int: Set<String>] = [:]
                for try await (pair, match) in group {
                    if let match { matches[pair, default: []].insert(match) }
                }
                return matches
            }
            #expect(found.values.allSatisfy { $0.count == 1 })
            var matches: Set<String> = []
            for index in stride(from: 0, to: 2 * pairs, by: 2) {
                let mine = try await people[index].client.call("GET", "/api/v1/matches")["items"]?.array ?? []
                let theirs = try await people[index + 1].client.call("GET", "/api/v1/matches")["items"]?.array ?? []
                #expect(mine.count == 1)
                #expect(mine.map { $0["id"] } == theirs.map { $0["id"] })
                matches.formUnion(mine.compactMap { $0["id"]?.string })
            }
            #expect(matches.count == pairs)
        }
    }

    private func register(_ count: Int, on spark: SparkProcess) async throws -> [Person] {
        try await withThrowingTaskGroup(of: (Int, Person).self) { group in
            var people = [Person?](repeating: nil, count: count)
            for index in 0..<count {
                if index >= 64, let (done, person) = try await group.next() { people[done] = person }
                group.addTask {
                    let isEven = index % 2 == 0
                    return (
                        index,
                        try await spark.client.person(
                            "p\(index)", gender: isEven ? "woman" : "man",
                            interestedIn: [isEven ? "man" : "woman"])
                    )
                }
            }
            for try await (done, person) in group { people[done] = person }
            return people.compactMap { $0 }
        }
    }
}
