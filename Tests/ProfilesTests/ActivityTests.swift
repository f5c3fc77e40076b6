import Logging
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkProfiles

@Suite("Signs of activity")
struct ActivityTests {
    /// A separate log on the town's store, which only the test flushes.
    private func log(_ town: Town, capacity: Int = 100) -> ActivityLog {
        let store = SpatiaLiteProfilesStore(
            storage: town.server.storage, gridSizes: GridSizes(cellMetres: 1_000, hiddenCellMetres: 10_000))
        return ActivityLog(
            store: store, clock: town.server.clock, metrics: ProfilesMetrics(), logger: Logger(label: "test"),
            capacity: capacity)
    }

    @Test("activity is written at most every ten minutes, changes no version and is announced")
    func tenMinutes() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            let (log, clock) = (log(town), town.server.clock)
            let start = clock.now()
            clock.advance(by: .minutes(9))
            log.recordActivity(of: ada)
            await log.flush()
            #expect(try await town.profile(ada).lastActiveAt == start, "registered less than ten minutes ago")
            clock.advance(by: .minutes(10))
            for _ in 0..<100 { log.recordActivity(of: ada) }
            #expect(try await town.profile(ada).lastActiveAt == start, "nothing is written before the flush")
            await log.flush()
            let first = clock.now()
            #expect(try await town.profile(ada).lastActiveAt == first)
            clock.advance(by: .minutes(9))
            log.recordActivity(of: ada)
            log.recordActivity(of: bob)
            await log.flush()
            #expect(try await town.profile(ada).lastActiveAt == first)
            #expect(try await town.profile(bob).lastActiveAt == clock.now())
            #expect(try await town.profile(ada).version == 1)
            await town.server.drainEvents()
            #expect(town.listener.heard() == ["active \(ada)", "active \(bob)"].sorted())
        }
    }

    @Test("requests and staying in a place are activity", .timeLimit(.minutes(20)))
    func requests() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            town.server.clock.advance(by: .hours(1))
            _ = try await town.move(ada, 50, 8)
            _ = try await town.move(ada, 50, 8)
            // The server's own service writes it soon.
            while try await town.profile(ada).lastActiveAt != town.server.clock.now() { await Task.yield() }
        }
    }

    @Test("people beyond the bound are not noted, and nothing grows")
    func capacity() async throws {
        try await Town.with { town in
            var people: [UserID] = []
            for number in 0..<12 { people.append(try await town.settle("P\(number)")) }
            let log = log(town, capacity: 8)
            town.server.clock.advance(by: .hours(1))
            for person in people { log.recordActivity(of: person) }
            await log.flush()
            let now = town.server.clock.now()
            var written = 0
            for person in people where try await town.profile(person).lastActiveAt == now { written += 1 }
            #expect(written == 8)
            // After the flush there is room again.
            log.recordActivity(of: people[11])
            await log.flush()
            #expect(try await town.profile(people[11]).lastActiveAt == now)
        }
    }

    @Test("of many who are active at once on several threads, each is written once and none is lost")
    func manyAtOnce() async throws {
        try await Town.with { town in
            var people: [UserID] = []
            for number in 0..<120 { people.append(try await town.settle("P\(number)")) }
            let log = log(town, capacity: 4_000)
            town.server.clock.advance(by: .hours(1))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { [people] in for person in people { log.recordActivity(of: person) } }
                }
            }
            await log.flush()
            let now = town.server.clock.now()
            for person in people { #expect(try await town.profile(person).lastActiveAt == now) }
            await town.server.drainEvents()
            #expect(town.listener.heard().count == people.count)
        }
    }

    @Test("people who do not exist are passed over")
    func ghosts() async throws {
        try await Town.with { town in
            let log = log(town)
            log.recordActivity(of: UserID(rawValue: 99))
            await log.flush()
            await town.server.drainEvents()
            #expect(town.listener.heard().isEmpty)
        }
    }
}
