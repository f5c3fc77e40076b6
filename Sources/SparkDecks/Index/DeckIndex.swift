import CSparkSystem
package import SparkCore
import Synchronization

/// The hot index of everybody who can be in a deck. Finds a viewer's best candidates exactly, as if every person had been scored.
///
/// Readers share the lock. A long search gives it back in between, so a change waits for some tenths of a millisecond at most, and
/// itself takes a few microseconds. Its owner fills it from the store or loads it from a saved one, and applies every committed
/// change.
package final class DeckIndex: Sendable {
    private let forest: ReadWriteLock<TileForest>
    private let calendar = Mutex<(day: CivilDate, ages: AgeCalendar)?>(nil)

    /// An empty index.
    package init() { forest = ReadWriteLock(TileForest()) }

    /// Loads what `save` wrote.
    /// - Parameters:
    ///   - token: what the index was saved under.
    ///   - bytes: the saved bytes. The index changes them, and nobody else may. They begin at a page.
    ///   - memory: keeps the bytes.
    /// - Returns: nil unless the bytes are whole, of this version of the program, and saved under the token.
    package convenience init?(
        savedUnder token: [UInt8], _ bytes: UnsafeMutableRawBufferPointer, memory: some AnyObject & Sendable
    ) {
        guard let saved = SavedForest(bytes, token: token) else { return nil }
        self.init(saved.forest(keeping: memory))
    }

    private init(_ forest: consuming TileForest) { self.forest = ReadWriteLock(forest) }

    /// Saves the index. Changes wait meanwhile.
    /// - Parameters:
    ///   - token: 16 bytes without which the index cannot be loaded.
    ///   - write: called with one part after the other, in order.
    /// - Throws: what `write` throws.
    package func save(under token: [UInt8], _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        try forest.read { forest in
            try SavedForestWriter.write(forest, SavedHeader(of: forest, layout: SavedForm.layout, token: token), to: write)
        }
    }

    /// Fills an empty index. Filling one that has people is a programmer's error and traps.
    package func build(_ people: consuming PersonBatch) {
        forest.write { [people] forest in
            precondition(forest.count == 0, "an index is built once")
            forest.build(people)
        }
        let isLarge = people.rows.count > Self.largeBatch
        people = PersonBatch()
        // Otherwise malloc keeps the pages of the batch and of the temporary arrays.
        if isLarge { spark_heap_trim() }
    }

    /// From this many people on, a batch takes so much memory that it is returned to the system.
    private static let largeBatch = 5_000

    // MARK: Changing

    /// A change of the index.
    package enum Change: Sendable {
        /// Adds a person or replaces the person's data.
        case set(IndexedPerson)
        /// Removes a person; does nothing for an unknown one.
        case remove(UserID)
        /// Sets when a person was last active.
        case touch(UserID, EpochSecond)
        /// Sets a person's counts.
        case count(UserID, DailyCounts)
    }

    /// Applies changes in order. No reader sees only some of them.
    package func apply(_ changes: [Change]) {
        guard !changes.isEmpty else { return }
        forest.write { forest in
            for change in changes {
                switch change {
                case .set(let person): forest.set(person)
                case .remove(let user): forest.remove(user.rawValue)
                case .touch(let user, let second): forest.touch(user.rawValue, lastActive: second)
                case .count(let user, let counts): forest.count(user.rawValue, counts)
                }
            }
        }
    }

    // MARK: Asking

    /// The number of people.
    package var count: Int { forest.read { $0.count } }
    /// The memory of the index in bytes.
    package var bytes: Int { forest.read { $0.bytes } }

    /// A person's data; nil for a person who is not in the index.
    package func person(_ user: UserID) -> IndexedPerson? { forest.read { $0.person(user.rawValue) } }

    /// Visits everybody, in no order. Changes wait meanwhile.
    package func forEach(_ body: (IndexedPerson) -> Void) { forest.read { $0.forEach(body) } }

    /// Visits everybody within a distance of a place, and some people beyond it.
    func visit(within metres: Double, of place: Coordinate, _ body: (PersonRow) -> Void) {
        let view = PlaceOfView(place)
        forest.read { forest in
            var waiting = forest.roots.filter { $0 >= 0 }
            while let node = waiting.popLast() {
                let found = forest.nodes[Int(node)]
                guard !found.bounds.isEmpty, found.bounds.leastMetres(from: view) <= metres else { continue }
                guard found.isLeaf else {
                    waiting += [found.left, found.right]
                    continue
                }
                let tile = forest.tiles[Int(found.left)]
                for position in 0..<tile.count { body(PersonRow(tile, at: position, set: tile.set)) }
            }
        }
    }

    /// The distribution of how often the people active since a second were shown on a day: element n is the number of people
    /// shown n times, 0...255.
    ///
    /// Visits the people in portions, so that no change waits for the whole count.
    package func exposure(on day: UInt16, activeSince: EpochSecond) -> [Int] {
        var counts = [Int](repeating: 0, count: 256)
        var next = 0
        while true {
            let isMore = forest.read { forest in
                let end = min(next + 256, forest.tiles.highest)
                for number in next..<end where forest.tiles.isUsed(number) {
                    let tile = forest.tiles[number]
                    for position in 0..<tile.count where tile.columns.lastActive[position] >= activeSince.rawValue {
                        let counted = tile.columns.counts(at: position)
                        counts[counted.day == day ? Int(counted.shown) : 0] += 1
                    }
                }
                next = end
                return end < forest.tiles.highest
            }
            if !isMore { return counts }
        }
    }

    /// The ages on a day. The calendar of the last day is kept.
    package func ages(on day: CivilDate) -> AgeCalendar {
        calendar.withLock { known in
            if let known, known.day == day { return known.ages }
            let ages = AgeCalendar(today: day)
            known = (day, ages)
            return ages
        }
    }

    /// The best candidates of the first stage that has any, at the moment at which the search ends. The lock is given back every
    /// few tenths of a millisecond.
    package func best(_ query: CandidateQuery) -> FoundCandidates { best(query, nodesPerTurn: Self.nodesPerTurn) {} }

    /// The nodes that a search visits before it gives back the lock: some tenths of a millisecond.
    private static let nodesPerTurn = 256

    /// - Parameter released: called when the lock has been given back.
    func best(_ query: CandidateQuery, nodesPerTurn: Int, released: () -> Void) -> FoundCandidates {
        // Code specialized for a known scorer is several times faster than generic code.
        switch query.scoring {
        case let scorer as WeightedScorer: best(query, scoring: scorer, nodesPerTurn, released)
        case let scorer as NearestFirst: best(query, scoring: scorer, nodesPerTurn, released)
        default: best(query, scoring: query.scoring, nodesPerTurn, released)
        }
    }

    private func best(
        _ query: CandidateQuery, scoring: some CandidateScoring, _ nodesPerTurn: Int, _ released: () -> Void
    ) -> FoundCandidates {
        guard let place = query.viewer.place, !query.viewer.isPaused, !query.viewer.isClosed else { return FoundCandidates() }
        let ages = ages(on: query.now.date)
        let scale = scoring.scale(for: query.viewer, at: query.now)
        var search = DeckSearch(query, place: place, ages: ages, scale: scale)
        while !forest.read({ search.takeTurn(in: $0, nodes: nodesPerTurn) }) { released() }
        return search.found
    }
}

/// A search for candidates: the viewer, the rules, and how many are wanted.
package struct CandidateQuery: Sendable {
    /// The viewer.
    package let viewer: Candidate
    /// People who are not candidates.
    package let excluded: IdentifierSet
    /// The excluded people that a census leaves out.
    package var uncounted = IdentifierSet([])
    /// People who like the viewer.
    package let likers: IdentifierSet
    /// The number of wanted candidates; at least 1.
    package let limit: Int
    /// The moment for which ages, tallies and scores are computed.
    package let now: Timestamp
    /// A person last active before this is no candidate.
    package let activeSince: Timestamp
    /// The rule that scores candidates.
    package let scoring: any CandidateScoring
    /// The stages to search, in order.
    package var stages = DeckStage.allCases

    /// A query over all stages. A limit below 1 becomes 1.
    package init(
        viewer: Candidate, excluded: IdentifierSet, likers: IdentifierSet, limit: Int, now: Timestamp, activeSince: Timestamp,
        scoring: any CandidateScoring
    ) {
        self.viewer = viewer
        self.excluded = excluded
        self.likers = likers
        self.limit = max(1, limit)
        self.now = now
        self.activeSince = activeSince
        self.scoring = scoring
    }
}

/// The result of a search.
package struct FoundCandidates: Sendable {
    /// The stage of the ranks.
    package var stage = DeckStage.anywhere
    /// The candidates, best first.
    package var ranks: [DeckRank] = []
    /// How far the search looked. Nobody beyond could be among the best.
    package var reach = SearchReach.nowhere

    mutating func widen(_ other: SearchReach) { reach = max(reach, other) }
}

/// The extent of a search.
package enum SearchReach: Hashable, Comparable, Sendable {
    case nowhere
    case within(Distance)
    case everywhere
}

/// The Gini coefficient: 0 if all have the same, towards 1 if one has everything.
package enum Gini {
    /// - Parameter counts: element n is the number of people who have n.
    /// - Returns: the coefficient; 0 without people, and if all have 0.
    package static func coefficient(_ counts: [Int]) -> Double {
        // The area under the Lorenz curve, step by step from those who have the least.
        let people = Double(counts.reduce(0, +))
        let whole = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) }
        guard people > 0, whole > 0 else { return 0 }
        var (below, area) = (0.0, 0.0)
        for (amount, count) in counts.enumerated() {
            let share = Double(amount) * Double(count) / whole
            area += Double(count) / people * (below + share / 2)
            below += share
        }
        return max(0, 1 - 2 * area)
    }
}
