import Synchronization

/// One lock, and what it protects.
final class Shard: Sendable {
    let table: Mutex<ShardTable<S3FIFO>>

    init(limits: ShardLimits, namespaces: Int) {
        self.table = Mutex(ShardTable(limits: limits, namespaces: namespaces))
    }
}
