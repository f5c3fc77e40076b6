import Logging
import SparkCore
import SparkDecks
import SparkFiles
import SparkKit
import SparkStorage
import Synchronization

/// Fills the hot index from the store and keeps it equal to the committed state.
///
/// Changes arrive on the writer's thread after the commit, before the request is answered and before any cached ranking is
/// invalidated. So a read that follows the answer sees the change. Changed people are read back from the store, so the index
/// cannot drift from it. During a fill, the changed people are only noted and are read again at the end; until then decks come
/// from the R-tree.
final class DeckIndexSync: Sendable {
    /// The readiness error while the index is not filled.
    struct NotFilled: Error {}

    private enum State {
        /// The people who changed since the fill began. A fill that was superseded finds another run number.
        case filling(run: Int, changed: Set<UserID>)
        case following(DeckIndex)
    }

    private let storage: any Storage
    /// Nil for a server that keeps nothing.
    private let saved: SavedIndex?
    private let logger: Logger
    /// What `foreignCommits` was before the index was filled; nil if it could not be read, and after bulk work.
    private let foreignCommits = Mutex<Int64?>(nil)
    /// Whether this run began with the saved index.
    let isLoaded = Atomic(false)
    private let state = Mutex(State.filling(run: 0, changed: []))
    /// Separate from `state`, whose lock the writer holds while it changes the index.
    private let filled = Mutex<DeckIndex?>(nil)
    private let runs = Atomic(0)
    private let isFilling = Atomic(false)

    /// - Parameter saved: where the index is saved between two runs; nowhere if nil.
    init(storage: any Storage, saved: SavedIndex?, logger: Logger) {
        self.storage = storage
        self.saved = saved
        self.logger = logger
    }

    /// The index; nil until it is filled.
    var index: DeckIndex? { filled.withLock { $0 } }

    /// The start waits for the fill if there are at most this many people; that takes some tenths of a second.
    private static let waitedFor = 100_000

    /// Loads the saved index, if there is one. Otherwise fills the index before the server is ready, if there are few enough people.
    func start() async throws {
        if let saved {
            let start = ContinuousClock.now
            do {
                if try await load(saved) {
                    isLoaded.store(true, ordering: .relaxed)
                    note("hot index loaded", since: start)
                    return
                }
            } catch {
                logger.warning("the saved index of people is not used", metadata: ["error": "\(error)"])
            }
        }
        let isSmall = try await storage.read { try !Self.hasMore(than: Self.waitedFor, in: $0) }
        guard isSmall else { return }
        while index == nil {
            try await fill()
            // Another fill began first and will end soon.
            if index == nil { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    // MARK: Saving

    /// - Returns: whether there was a saved index that equals the store.
    private func load(_ saved: SavedIndex) async throws -> Bool {
        let file = try saved.take()
        // People who change from here on are read again.
        let run = state.withLock { begin(&$0) }
        let found: (mark: [UInt8]?, commits: Int64)
        do {
            found = try await storage.write { (try IndexMark.current(in: $0), try $0.foreignCommits()) }
        } catch is StorageError {
            // Nothing can be written, for example because the disk is full. What is stored can still be served.
            found = (try await storage.read { try IndexMark.current(in: $0) }, -1)
        }
        foreignCommits.withLock { $0 = found.commits < 0 ? nil : found.commits }
        guard let file else { return false }
        guard let index = SavedIndex.index(in: file, mark: found.mark) else {
            logger.notice(
                "the saved index of people is not used", metadata: ["reason": "it is not whole, or not of this database"])
            return false
        }
        try follow(index, run: run)
        return true
    }

    /// Saves the index for the next start, at the end of the last write.
    func save() async {
        guard let saved, index != nil else { return }
        do {
            try await storage.write { [self] transaction in
                // The writer has applied every commit of its own to the index, but not those of others.
                let known = foreignCommits.withLock { $0 }
                let isCurrent = try known == transaction.foreignCommits()
                guard let index = isCurrent ? self.index : try Self.filled(from: transaction.session) else { return }
                try saved.save(index, in: transaction)
            }
        } catch {
            logger.warning("the index of people is not saved, so the next start takes longer", metadata: ["error": "\(error)"])
        }
    }

    private static func filled(from session: SQLSession) throws -> DeckIndex {
        let index = DeckIndex()
        index.build(try everybody(in: session))
        return index
    }

    // MARK: Filling

    /// The number of queries into which a large fill is divided.
    private static let chunks = 16

    /// Reads all people. Returns at once if a fill is already running, or if there is an index.
    func fill() async throws {
        guard isFilling.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            return
        }
        defer { isFilling.store(false, ordering: .releasing) }
        let begun = state.withLock { state -> Int? in
            if case .following = state { return nil }
            filled.withLock { $0 = nil }
            return begin(&state)
        }
        guard let run = begun else { return }
        let start = ContinuousClock.now
        let ranges = try await storage.read { try Self.ranges(in: $0) }
        let batch = try await withThrowingTaskGroup(of: PersonBatch.self) { group in
            var batch = PersonBatch()
            var waiting = ranges[...]
            func begin() {
                guard let range = waiting.popFirst() else { return }
                group.addTask { [storage] in try await storage.read { try Self.people(range, in: $0) } }
            }
            for _ in 0..<2 { begin() }
            while let part = try await group.next() {
                batch.append(contentsOf: part)
                begin()
            }
            return batch
        }
        let index = DeckIndex()
        index.build(consume batch)
        try follow(index, run: run)
        // A server that keeps nothing always begins so.
        if saved != nil, let index = self.index, index.count > 0 { note("hot index filled", since: start) }
    }

    private func note(_ event: Logger.Message, since start: ContinuousClock.Instant) {
        logger.info(
            event,
            metadata: [
                "people": .stringConvertible(index?.count ?? 0),
                "seconds": .stringConvertible(start.duration(to: .now).inSeconds),
            ])
    }

    /// Discards the index until it is filled again.
    func forget() {
        state.withLock { state in
            filled.withLock { $0 = nil }
            _ = begin(&state)
        }
    }

    private func begin(_ state: inout State, with changed: Set<UserID> = []) -> Int {
        let run = runs.wrappingAdd(1, ordering: .relaxed).newValue
        state = .filling(run: run, changed: changed)
        return run
    }

    /// Fills the index at once from the connection that is writing the people.
    func fill(from session: SQLSession) throws {
        // The bulk load does without triggers.
        try IndexMark.remove(in: session)
        let index = try Self.filled(from: session)
        state.withLock { state in
            state = .following(index)
            filled.withLock { $0 = index }
        }
    }

    /// Reads the people who changed during the fill, until none are left. The last round holds the lock, so the writer waits.
    private func follow(_ index: DeckIndex, run: Int) throws {
        while true {
            let changed = state.withLock { state -> Set<UserID>? in
                guard case .filling(run, let changed) = state else { return nil }
                state = .filling(run: run, changed: [])
                return changed
            }
            guard let changed else { return }
            index.apply(try changed.map(read))
            let isDone = try state.withLock { state in
                guard case .filling(run, let late) = state else { return true }
                guard late.count <= 100 else { return false }
                index.apply(try late.map(read))
                state = .following(index)
                filled.withLock { $0 = index }
                return true
            }
            if isDone { return }
        }
    }

    /// Whether there are more people than this. Counting all of a million would cost too much.
    private static func hasMore(than people: Int, in session: SQLSession) throws -> Bool {
        try session.value("SELECT EXISTS (SELECT 1 FROM profiles_users LIMIT 1 OFFSET ?)", people, as: Bool.self) ?? false
    }

    private static func ranges(in session: SQLSession) throws -> [ClosedRange<Int64>] {
        let ends = try session.row("SELECT MIN(id), MAX(id) FROM profiles_users") { ($0.optional(0), $0.optional(1)) }
        guard let first = ends?.0, let last = ends?.1 else { return [] }
        let chunks = try hasMore(than: 5_000, in: session) ? Int64(chunks) : 1
        let width = max(1, (last - first) / chunks + 1)
        return (0..<chunks).map { first + $0 * width }.filter { $0 <= last }.map { $0...min(last, $0 + width - 1) }
    }

    private static func people(_ range: ClosedRange<Int64>, in session: SQLSession) throws -> PersonBatch {
        var batch = PersonBatch()
        try session.statement(CandidateReader.between).forEach([.integer(range.lowerBound), .integer(range.upperBound)]) {
            row in
            if let person = CandidateReader.row(row) { batch.append(person, interests: CandidateReader.interests(row)) }
            return true
        }
        return batch
    }

    /// All people that an index must hold.
    static func everybody(in session: SQLSession) throws -> PersonBatch {
        var batch = PersonBatch()
        for range in try ranges(in: session) { batch.append(contentsOf: try people(range, in: session)) }
        return batch
    }

    private func read(_ user: UserID) throws -> DeckIndex.Change {
        let person = try storage.pointReadNow { try CandidateReader.person(user, $0) }
        return person.map { .set($0) } ?? .remove(user)
    }

    // MARK: Snapshots

    /// The index as bytes, in the form in which it is saved; nil while there is none.
    func capture() -> [UInt8]? {
        guard let index else { return nil }
        var bytes: [UInt8] = []
        do {
            try index.save(under: IndexMemory.mark) { bytes += $0 }
        } catch {
            return nil
        }
        return bytes
    }

    /// Replaces the index by a captured one. Without one it is filled again from the store.
    func restore(_ captured: [UInt8]?) {
        guard let captured, let index = IndexMemory(captured).index else { return forget() }
        state.withLock { state in
            // A fill that is under way read another state.
            _ = begin(&state)
            state = .following(index)
            filled.withLock { $0 = index }
        }
    }

    // MARK: Following

    /// Reads these people again, because they changed.
    func changed(_ users: [UserID]) {
        state.withLock { state in
            switch state {
            case .filling(let run, var changed):
                state = .filling(run: run, changed: [])
                changed.formUnion(users)
                state = .filling(run: run, changed: changed)
            case .following(let index):
                do {
                    index.apply(try users.map(read))
                } catch {
                    // The store cannot be read. Without an index, decks come from the R-tree or fail with an error. The index is
                    // filled again.
                    filled.withLock { $0 = nil }
                    _ = begin(&state, with: Set(users))
                }
            }
        }
    }

    /// Applies changes that are fully known, without reading the store.
    func apply(_ changes: [DeckIndex.Change], of users: @autoclosure () -> [UserID]) {
        let isFollowing = state.withLock { state in
            guard case .following(let index) = state else { return false }
            index.apply(changes)
            return true
        }
        if !isFollowing { changed(users()) }
    }
}

extension ModuleRegistrar {
    /// Fills the index at the start and applies what other modules commit. Matching's own writes call the index directly.
    mutating func onCommit(_ feed: DeckIndexSync) {
        prepare { try await feed.start() }
        conclude { await feed.save() }
        health("index") { if feed.index == nil { throw DeckIndexSync.NotFilled() } }
        onCommit(ProfileChanged.self) { feed.changed([$0.user]) }
        onCommit(LocationChanged.self) { feed.changed([$0.user]) }
        onCommit(AccountErased.self) { feed.changed([$0.user]) }
        fixtureState {
            feed.capture()
        } restore: {
            feed.restore($0)
        }
        onCommit(ActivityRecorded.self) { event in
            feed.apply(event.people.map { .touch($0.user, EpochSecond($0.at)) }, of: event.people.map(\.user))
        }
    }
}
