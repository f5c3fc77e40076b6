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

    var stamps: StampSet { gathered.withLock { StampSet($0) } }

    /// Whether nothing that was declared so far has been invalidated.
    public var areCurrent: Bool { gathered.withLock { $0.allSatisfy(table.isCurrent) } }
}
