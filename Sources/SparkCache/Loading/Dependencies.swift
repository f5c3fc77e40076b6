import Synchronization

/// The dependencies of an entry, collected while it is loaded.
///
/// A load declares a dependency *before* it reads the data behind it. A write that comes in between then leaves the entry with a stamp
/// from before the write, and the entry is never used. All methods may be called from any thread.
public final class Dependencies: Sendable {
    private let table: StampTable
    private let gathered: Mutex<[Stamp]>

    init(_ table: StampTable, _ tags: [CacheTag]) {
        self.table = table
        self.gathered = Mutex(tags.map(table.stamp))
    }

    /// Adds a dependency: the entry becomes stale when the tag is invalidated from now on. An entry has room for 15.
    public func depend(on tag: CacheTag) {
        let stamp = table.stamp(of: tag)
        gathered.withLock { $0.append(stamp) }
    }

    /// Drops every dependency declared so far that is not on one of these tags.
    ///
    /// For a load that reads from one snapshot: it must declare all it may need before the snapshot begins, and learns only then what it
    /// needed.
    public func narrow(to tags: [CacheTag]) {
        let slots = Set(tags.map { table.stamp(of: $0).slot })
        gathered.withLock { $0.removeAll { !slots.contains($0.slot) } }
    }

    /// Adds the dependencies of an entry that the load found instead of reading the origin.
    /// - Returns: false if one of them was invalidated; then nothing is added.
    func adopt(_ stamps: [Stamp]) -> Bool {
        gathered.withLock { gathered in
            guard stamps.allSatisfy(table.isCurrent) else { return false }
            gathered += stamps
            return true
        }
    }

    var stamps: StampSet { gathered.withLock { StampSet($0) } }

    /// Whether none of the dependencies declared so far has been invalidated.
    public var areCurrent: Bool { gathered.withLock { $0.allSatisfy(table.isCurrent) } }
}
