import Hummingbird
import NIOCore

/// A body that is produced part by part as the client reads. The connection closes when the client stops reading.
///
/// The next part is produced only after the connection has accepted the one before, so nothing accumulates for a slow client. If
/// a part cannot be produced, the connection ends without the body's end.
struct PartialBody: Sendable {
    /// How long a client may take to receive a slice before it counts as gone.
    static let patience = TimeAmount.seconds(20)
    /// The bytes passed to the connection at once. With `patience`, the slowest client that is served reads 3 KiB per second.
    private static let slice = 64 * 1_024

    let parts: AsyncThrowingStream<[UInt8], any Error>
    let channel: (any Channel)?

    var body: ResponseBody {
        ResponseBody { [parts, channel] writer in
            for try await part in parts {
                for start in stride(from: 0, to: part.count, by: Self.slice) {
                    let timer = channel.map { channel in
                        channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
                    }
                    defer { timer?.cancel() }
                    try await writer.write(ByteBuffer(bytes: part[start..<min(start + Self.slice, part.count)]))
                }
            }
            try await writer.finish(nil)
        }
    }
}
