public import SparkCore

/// Why a cache did not load.
public enum CacheError: ClientError {
    /// Too many loads run and wait already.
    case overloaded

    public var code: String { "cache.overloaded" }
    public var status: Int { 503 }
    public var detail: String { "Too many reads are waiting." }
    public var isTemporary: Bool { true }
    public var retryAfter: Duration? { .seconds(1) }
}
