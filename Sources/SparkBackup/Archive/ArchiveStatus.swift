/// The state of an archive, for metrics, health and people.
public struct ArchiveStatus: Hashable, Sendable {
    /// The generation under way; nil while there is none.
    public var generation: String?
    /// The last commit that is in the spool or in the store.
    public var position: ArchivePosition?
    /// The age of the oldest commit that is not in the store; zero if all are.
    public var lag: Duration = .zero
    /// The bytes of commits that are not in the store: of the log, and of the segments.
    public var lagBytes: Int64 = 0
    /// The bytes of the spool.
    public var spoolBytes: Int64 = 0
    /// The segments that were stored since the start.
    public var storedSegments: Int64 = 0
    /// The failed attempts to write or to store a segment since the start.
    public var failures: Int64 = 0
    /// The generations that began since the start.
    public var generations: Int64 = 0
    /// The generations that were given up since the start.
    public var losses: Int64 = 0
    /// Why the last attempt failed, or the last generation ended; nil while all is well.
    public var fault: String?

    /// A state in which nothing happened yet.
    public init() {}
}
