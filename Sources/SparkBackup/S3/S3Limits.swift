/// The bounds of one store: sizes, attempts and waits.
public struct S3Limits: Sendable {
    /// A file of more bytes is uploaded in parts.
    public var longestSinglePut: Int64 = 64 << 20
    /// The size of a part in bytes; larger for files that would have more than 10,000 parts. S3 demands 5 MiB at least.
    public var partBytes: Int64 = 16 << 20
    /// How often a request is sent until the store counts as unavailable.
    public var attempts = 5
    /// The wait before the second attempt. It doubles with each attempt, and half of it is random.
    public var firstPause = Duration.milliseconds(200)
    /// The longest wait before an attempt, also if the store asks for a longer one.
    public var longestPause = Duration.seconds(20)
    /// How long opening a connection may take.
    public var connect = Duration.seconds(10)
    /// How long a transfer may stand still.
    public var idle = Duration.seconds(60)
    /// The least average speed of a transfer, beyond the time of `idle`.
    public var leastBytesPerSecond: Int64 = 16_384
    /// The most objects that a listing returns.
    public var mostObjects = 2_000_000

    /// The defaults.
    public init() {}

    /// The most bytes of an answer that is no object: a page of a listing has 1,000 names of at most 1,024 bytes each.
    static let longestAnswer = 8 << 20
    /// The longest object that a listing may have, in bytes; above what any storage takes.
    static let longestObject: Int64 = 1 << 50
    /// The most pages without an object in a row, for example of versions that were deleted, and the most pages of uploads.
    static let mostEmptyPages = 1_000
    /// S3's own bound.
    static let mostParts: Int64 = 10_000

    /// How long the transfer of some bytes may take.
    func longest(_ bytes: Int64) -> Duration { idle + .seconds(Double(bytes) / Double(max(leastBytesPerSecond, 1))) }

    /// The size of the parts of a file.
    func partSize(of bytes: Int64) -> Int64 {
        let least = (bytes + Self.mostParts - 1) / Self.mostParts
        // Whole MiB.
        return max(partBytes, (least + (1 << 20) - 1) / (1 << 20) * (1 << 20))
    }
}
