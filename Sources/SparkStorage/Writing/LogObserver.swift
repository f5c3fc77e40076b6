/// Observes the write-ahead log of a store, to copy what is written to it before it is overwritten.
public protocol LogObserver: Sendable {
    /// Gets the length of the log, in frames, after each commit: on the writer's thread, before the write is answered. Must be short.
    func committed(frames: Int)

    /// Copies what the log has and the observer has not. Called on the checkpointer's thread before it copies pages into the
    /// database; commits may arrive meanwhile.
    /// - Returns: False to keep the log as it is for now. The log grows until this returns true, so the observer must bound that.
    func mayCheckpoint() -> Bool

    /// The log is about to be overwritten from its beginning, or cut off. The writer waits until this returns. Called on any thread.
    /// - Parameter next: The salts of the log that begins; nil if none begins yet.
    func logEnds(next: LogSalts?)
}

/// The two random numbers in the header of a write-ahead log, which are in every frame of it, too.
public struct LogSalts: Hashable, Sendable {
    /// The number that is counted up when the writer of this log begins the next one.
    public var first: UInt32
    /// A random number.
    public var second: UInt32

    /// Creates a pair.
    public init(first: UInt32, second: UInt32) { (self.first, self.second) = (first, second) }

    /// The salts in a log's header.
    init(header: UnsafeRawPointer) {
        self.init(
            first: UInt32(bigEndian: header.loadUnaligned(fromByteOffset: 16, as: UInt32.self)),
            second: UInt32(bigEndian: header.loadUnaligned(fromByteOffset: 20, as: UInt32.self)))
    }
}
