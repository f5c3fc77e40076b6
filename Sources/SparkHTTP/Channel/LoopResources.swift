import HTTPTypes
import NIOCore
import SparkCore
import SparkKit

/// What the connections of one event loop share. Used on that loop only.
// Confined to its event loop, but for the executor, which never changes.
final class LoopResources: @unchecked Sendable {
    let executor: LoopExecutor
    var securityFields: SecurityFields
    private let random: any RandomSource
    private var identifiers: [UInt64] = []
    private var buffer: ByteBuffer?
    private var compressor: GzipCompressor?

    /// - Parameters:
    ///   - random: for request ids.
    ///   - dates: nil where there is no clock.
    ///   - strictTransportSeconds: for how long browsers use HTTPS only; 0 where answers do not say so.
    init(on eventLoop: any EventLoop, random: any RandomSource, dates: HTTPDate?, strictTransportSeconds: Int = 0) {
        self.executor = LoopExecutor(eventLoop)
        self.random = random
        self.securityFields = SecurityFields(dates: dates, strictTransportSeconds: strictTransportSeconds)
    }

    /// A new request id.
    func nextRequestID() -> String {
        // A call of the system for each request would cost more than the rest of its id.
        if identifiers.isEmpty { identifiers = random.next(count: 64) }
        return RequestID.text(of: identifiers.removeLast())
    }

    /// An empty buffer. Its storage is used again once what was written from it has left.
    func takeBuffer() -> ByteBuffer {
        guard var buffer else { return ByteBufferAllocator().buffer(capacity: 2_048) }
        self.buffer = nil
        buffer.clear()
        return buffer
    }

    /// Keeps a buffer for the next answer, unless it has grown large.
    func giveBack(_ used: ByteBuffer) {
        if used.capacity <= 256 * 1_024 { buffer = used }
    }

    /// Compresses the whole body of an answer if this is worth it.
    func compress(_ answer: inout EdgeAnswer) {
        guard case .whole(let bytes) = answer.body, ContentCoding.isWorthwhile(bytes.count, answer.headers) else { return }
        answer.headers.vary(on: "Accept-Encoding")
        guard ContentCoding.allowsGzip(answer.acceptEncoding) else { return }
        let compressor = compressor ?? GzipCompressor(level: .fast)
        self.compressor = compressor
        guard let compressed = compressor?.compress(bytes), compressed.count < bytes.count else { return }
        answer.body = .whole(compressed)
        answer.headers[.contentEncoding] = "gzip"
        // The tag names the content and not these bytes (RFC 9110, 8.8.1).
        if let tag = answer.entityTag, !tag.hasPrefix("W/") { answer.entityTag = "W/\(tag)" }
    }
}

/// Runs tasks on an event loop.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
