import Hummingbird
import NIOCore

/// A body that is produced part by part as the client reads. The request guard closes the connection of a client that reads too
/// slowly.
///
/// The next part is produced only after the connection has accepted the one before, so nothing accumulates for a slow client. If
/// a part cannot be produced, the connection ends without the body's end.
struct PartialBody: Sendable {
    /// The bytes passed to the connection at once.
    private static let slice = 64 * 1_024

    let parts: AsyncThrowingStream<[UInt8], any Error>

    var body: ResponseBody {
        ResponseBody { [parts] writer in
            for try await part in parts {
                for start in stride(from: 0, to: part.count, by: Self.slice) {
                    try await writer.write(ByteBuffer(bytes: part[start..<min(start + Self.slice, part.count)]))
                }
            }
            try await writer.finish(nil)
        }
    }
}
