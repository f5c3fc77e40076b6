import Dispatch
import SparkCore
import SparkDecks
import Synchronization

/// Decks at a given number of people, from the hot index.
public struct MatchBenchmark: Sendable {
    public struct Settings: Sendable {
        public var people = 1_000_000
        public var probes = 2_000
        /// Probes whose answer is compared with a full scan.
        public var compared = 20
        public init() {}
    }

    static let crowdSeed: UInt64 = 1
    private let settings: Settings
    private static let scorer = WeightedScorer(
        .init(distance: 0.45, recency: 0.25, age: 0.15, interests: 0.15, likelihood: 0.1, exposure: 0.05), activeDays: 30)

    public init(_ settings: Settings) { self.settings = settings }

    /// - Parameter progress: called with the current measurement and the share of it that is done.
    public func run(_ progress: (String, Double) -> Void) -> MatchReport {
        progress("people", 0)
        let crowd = Crowd(count: settings.people, seed: Self.crowdSeed)
        let index = DeckIndex()
        let began = ContinuousClock.now
        index.build(crowd.people)
        let rebuild = began.duration(to: .now)
        progress("people", 1)

        let nearest = Probes.nearest(crowd, count: settings.probes).queries
        let scored = Probes(crowd, count: settings.probes, seed: 3, scoring: Self.scorer, limit: 20).queries
        let decks = Probes(
            crowd, count: settings.probes / 2, seed: 4, scoring: Self.scorer, limit: 128, stages: DeckStage.allCases
        ).queries
        let dense = Probes(crowd, count: settings.probes / 4, seed: 5, scoring: NearestFirst(), limit: 50, city: 0).queries
        let exhausted = Probes.exhausted(crowd, count: max(1, settings.probes / 10), scoring: Self.scorer).queries
        let denseScored = Probes(crowd, count: settings.probes / 4, seed: 6, scoring: Self.scorer, limit: 20, city: 0).queries

        progress("decks", 0)
        var report = MatchReport(
            people: settings.people, rebuild: rebuild, bytesPerPerson: Double(index.bytes) / Double(settings.people))
        report.nearest = Latencies(nearest.map { Self.time(index, $0) })
        report.scored = Latencies(scored.map { Self.time(index, $0) })
        report.decks = Latencies(decks.map { Self.time(index, $0) })
        report.dense = Latencies(dense.map { Self.time(index, $0) })
        report.denseScored = Latencies(denseScored.map { Self.time(index, $0) })
        report.exhausted = Latencies(exhausted.map { Self.time(index, $0) })
        progress("decks", 0.4)
        report.decksPerSecond = Self.rate(index, nearest)
        report.scoredPerSecond = Self.rate(index, scored)
        progress("decks", 0.6)
        let load = WriteLoad(crowd, index)
        (report.touch, report.move) = (load.timeOfTally(), load.timeOfMove())
        report.underLoad = load.during { Latencies(nearest.map { Self.time(index, $0) }) }
        report.scoredUnderLoad = load.during { Latencies(scored.map { Self.time(index, $0) }) }
        let (times, waits) = load.movesBeside { exhausted.map { Self.time(index, $0) } }
        (report.exhaustedUnderMoves, report.moveWaits) = (Latencies(times), Latencies(waits))
        progress("decks", 1)

        // On a separate index: the other one has changed.
        let fresh = DeckIndex()
        fresh.build(crowd.people)
        let compared = [nearest, scored, decks, exhausted].flatMap { $0.prefix(settings.compared) }
        for (number, query) in compared.enumerated() {
            progress("brute force", Double(number) / Double(compared.count))
            report.compared += 1
            if fresh.best(query).ranks != crowd.bruteForce(query) { report.differing += 1 }
        }
        progress("brute force", 1)
        return report
    }

    /// Microseconds.
    private static func time(_ index: DeckIndex, _ query: CandidateQuery) -> Double {
        let began = ContinuousClock.now
        let found = index.best(query)
        let taken = began.duration(to: .now).inSeconds * 1e6
        precondition(found.ranks.count <= query.limit)
        return taken
    }

    /// Answers a second of two threads; the median of several rounds.
    private static func rate(_ index: DeckIndex, _ queries: [CandidateQuery]) -> Double {
        let nanoseconds = Timing.nanoseconds(steps: queries.count, rounds: 5) { thread, steps in
            var found = 0
            for step in 0..<steps {
                found += index.best(queries[(step + thread * queries.count / 2) % queries.count]).ranks.count
            }
            return found
        }
        return Double(Timing.threads) * 1e9 / nanoseconds
    }
}

/// Changes of an index as people move, are active and swipe.
private struct WriteLoad: Sendable {
    private let changes: [DeckIndex.Change]
    private let moves: [DeckIndex.Change]
    private let index: DeckIndex

    init(_ crowd: Crowd, _ index: DeckIndex) {
        self.index = index
        var dice = Dice(seed: 9)
        let rows = crowd.people.rows
        let ages = AgeCalendar(today: Crowd.now.date)
        // To another cell of the same city: a person who stays in a cell changes nothing.
        moves = (0..<100_000).map { _ in
            let city = crowd.cities[dice.below(crowd.cities.count)]
            guard city.count > 1 else { return .remove(UserID(rawValue: 0)) }
            let (who, place) = (city[dice.below(city.count)], rows[city[dice.below(city.count)]])
            let person = rows[who].candidate(on: ages, interests: [])
            guard let there = Coordinate(latitude: place.latitude, longitude: place.longitude) else {
                return .remove(UserID(rawValue: 0))
            }
            let row = PersonRow(
                id: person.id, birth: rows[who].birth, gender: person.gender, preferences: person.preferences,
                isIncognito: person.isIncognito, hidesDistance: person.hidesDistance, lastActive: rows[who].lastActive,
                place: there,
                version: 2, counts: person.counts)
            return .set(IndexedPerson(row: row, interests: crowd.people.interests(of: who)))
        }
        changes = (0..<100_000).map { _ in
            .count(UserID(rawValue: rows[dice.below(rows.count)].id), Crowd.counts(&dice))
        }
    }

    /// Microseconds of one.
    func timeOfTally() -> Double { time(changes) }
    func timeOfMove() -> Double { time(moves) }

    private func time(_ changes: [DeckIndex.Change]) -> Double {
        let began = ContinuousClock.now
        for change in changes { index.apply([change]) }
        return began.duration(to: .now).inSeconds * 1e6 / Double(changes.count)
    }

    /// The result of a body that runs while 10,000 people a second move to another cell and 5,000 swipe, in commits of a hundred writes.
    func during<Value>(_ body: () -> Value) -> Value {
        let group = DispatchGroup()
        let state = DoneFlag()
        DispatchQueue.global().async(group: group) { [self] in write(until: state) }
        let value = body()
        state.set()
        group.wait()
        return value
    }

    /// Moves one person after another while a body runs.
    /// - Returns: the value of the body, and the microseconds of each move, most of which are spent waiting for searches.
    func movesBeside<Value>(_ body: () -> Value) -> (value: Value, waits: [Double]) {
        let (group, state) = (DispatchGroup(), DoneFlag())
        let waits = Mutex<[Double]>([])
        DispatchQueue.global().async(group: group) { [self] in
            var times: [Double] = []
            while !state.isSet {
                let began = ContinuousClock.now
                index.apply([moves[times.count % moves.count]])
                times.append(began.duration(to: .now).inSeconds * 1e6)
                DoneFlag.nap()
            }
            waits.withLock { $0 = times }
        }
        let value = body()
        state.set()
        group.wait()
        return (value, waits.withLock { $0 })
    }

    private func write(until state: DoneFlag) {
        let began = ContinuousClock.now
        var written = 0
        while !state.isSet {
            // 150 changes every ten milliseconds: 100 moves, and the two tallies of 50 swipes would be 100 more.
            let due = Int(began.duration(to: .now).inSeconds * 100)
            guard written < due else {
                DoneFlag.nap()
                continue
            }
            let start = written * 100 % (moves.count - 100)
            index.apply(Array(moves[start..<start + 100]) + changes[start..<start + 100])
            written += 1
        }
    }
}
