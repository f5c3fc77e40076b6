import Hummingbird
import NIOCore

/// A body that is written part by part as the client reads, and whose connection closes when the client stops reading.
///
/// A part is asked for only after the one before was taken by the connection, so nothing gathers for a slow client. A part that
/// cannot be made ends the connection without the body's end.
struct PartialBody: Sendable {
    /// A client that does not take a slice within this time has gone.
    static let patience = TimeAmount.seconds(20)
    /// What is handed to the connection at once: with `patience`, the slowest client that is served reads 3 KiB a second.
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
