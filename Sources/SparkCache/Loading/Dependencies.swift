import Synchronization

/// What an entry depends on, gathered while it is loaded.
///
/// A load declares a dependency *before* it reads what the dependency stands for. Then a write that comes between leaves the
/// entry with a stamp from before the write, and it is never used.
public final class Dependencies: Sendable {
    private let table: StampTable
    private let gathered: Mutex<[Stamp]>

    init(_ table: StampTable, _ tags: [CacheTag]) {
        self.table = table
        self.gathered = Mutex(tags.map(table.stamp))
    }

    /// The entry will be old when the tag is invalidated from now on.
    public func depend(on tag: CacheTag) {
        let stamp = table.stamp(of: tag)
        gathered.withLock { $0.append(stamp) }
    }

    /// Keeps of what was declared so far only these tags: for a load that reads from one snapshot, so must declare before it begins
    /// more than it turns out to need.
    public func narrow(to tags: [CacheTag]) {
        let slots = Set(tags.map { table.stamp(of: $0).slot })
        gathered.withLock { $0.removeAll { !slots.contains($0.slot) } }
    }

    /// Depends on what an entry depends on that was found ready, so that nobody who comes later shares it once it is old.
    /// - Returns: false if it is old already; then nothing is added.
    func adopt(_ stamps: [Stamp]) -> Bool {
        gathered.withLock { gathered in
            guard stamps.allSatisfy(table.isCurrent) else { return false }
            gathered += stamps
            return true
        }
    }

    var stamps: StampSet { gathered.withLock { StampSet($0) } }

    /// Whether nothing that was declared so far has been invalidated.
    public var areCurrent: Bool { gathered.withLock { $0.allSatisfy(table.isCurrent) } }
}
