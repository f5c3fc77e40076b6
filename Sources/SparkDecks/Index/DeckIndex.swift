package import SparkCore
import Synchronization

/// The hot index of everybody who can be in a deck: answers who the best candidates of somebody are, exactly as if everybody had
/// been asked.
///
/// Readers share it; a change waits until those who read are done, some hundreds of microseconds at most, and takes a few
/// itself. All in memory; who owns it fills it from the store and tells it of every change that is committed.
package final class DeckIndex: Sendable {
    private let forest = ReadWriteLock(TileForest())
    private let calendar = Mutex<(day: CivilDate, ages: AgeCalendar)?>(nil)

    package init() {}

    /// Fills an index that is empty.
    package func build(_ people: PersonBatch) {
        forest.write { forest in
            precondition(forest.count == 0, "an index is built once")
            forest.build(people)
        }
    }

    // MARK: Changing

    /// One change of the index.
    package enum Change: Sendable {
        case set(IndexedPerson)
        case remove(UserID)
        case touch(UserID, EpochSecond)
        case count(UserID, DailyCounts)
    }

    /// Makes changes, in order, and all before anybody reads again.
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

    package var count: Int { forest.read { $0.count } }
    /// What it takes of memory.
    package var bytes: Int { forest.read { $0.bytes } }

    package func person(_ user: UserID) -> IndexedPerson? { forest.read { $0.person(user.rawValue) } }

    /// Everybody, in no order; changes wait meanwhile.
    package func forEach(_ body: (IndexedPerson) -> Void) { forest.read { $0.forEach(body) } }

    /// Everybody who may be within a distance of a place, and some who are not.
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

    /// How many of those who were active since a second were shown how often on a day: the count of people by times shown, 0...255.
    ///
    /// Looks at the people in portions, so that no change waits for all of them.
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

    package func ages(on day: CivilDate) -> AgeCalendar {
        calendar.withLock { known in
            if let known, known.day == day { return known.ages }
            let ages = AgeCalendar(today: day)
            known = (day, ages)
            return ages
        }
    }

    /// The best candidates of the first stage that has any.
    package func best(_ query: CandidateQuery) -> FoundCandidates {
        // The compiler makes fast code for types that it sees; for any other it is several times slower.
        switch query.scoring {
        case let scorer as WeightedScorer: best(query, scoring: scorer)
        case let scorer as NearestFirst: best(query, scoring: scorer)
        default: best(query, scoring: query.scoring)
        }
    }

    private func best(_ query: CandidateQuery, scoring: some CandidateScoring) -> FoundCandidates {
        guard let place = query.viewer.place, !query.viewer.isPaused, !query.viewer.isClosed else { return FoundCandidates() }
        let ages = ages(on: query.now.date)
        let scale = scoring.scale(for: query.viewer, at: query.now)
        return forest.read { forest in
            var search = DeckSearch(query, place: place, ages: ages, scale: scale)
            var found = FoundCandidates()
            for stage in query.stages where found.ranks.isEmpty {
                found.stage = stage
                found.ranks = search.best(at: stage, in: forest)
                found.widen(search.reach(at: stage, ranks: found.ranks))
            }
            return found
        }
    }
}

/// Whose candidates, how many, when.
package struct CandidateQuery: Sendable {
    package let viewer: Candidate
    package let excluded: IdentifierSet
    /// The excluded people that a census leaves out.
    package var uncounted = IdentifierSet([])
    /// Who likes the viewer.
    package let likers: IdentifierSet
    /// At least 1.
    package let limit: Int
    package let now: Timestamp
    /// Who was last active before is no candidate.
    package let activeSince: Timestamp
    package let scoring: any CandidateScoring
    package var stages = DeckStage.allCases

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

/// What an index found.
package struct FoundCandidates: Sendable {
    package var stage = DeckStage.anywhere
    /// Best first.
    package var ranks: [DeckRank] = []
    /// Nobody from beyond could be among them.
    package var reach = SearchReach.nowhere

    fileprivate mutating func widen(_ other: SearchReach) { reach = max(reach, other) }
}

/// How far was looked.
package enum SearchReach: Hashable, Comparable, Sendable {
    case nowhere
    case within(Distance)
    case everywhere
}
