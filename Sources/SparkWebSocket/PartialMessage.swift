import NIOCore
import NIOWebSocket

/// A message that is assembled from its fragments.
struct PartialMessage {
    let isText: Bool
    private(set) var bytes = ByteBuffer()
    private var fragments = 0
    private var check = UTF8Check()

    init(isText: Bool) { self.isText = isText }

    /// Appends a fragment.
    /// - Returns: the reason to close when the fragment is invalid; nil otherwise.
    mutating func append(_ frame: WebSocketFrame, maximumBytes: Int, maximumFragments: Int) -> CloseReason? {
        guard frame.length <= maximumBytes - bytes.readableBytes else { return .tooLarge }
        fragments += 1
        guard fragments <= maximumFragments else { return .tooManyFragments }
        let payload = frame.unmaskedData
        if isText {
            guard check.accepts(payload), check.isComplete || !frame.fin else { return .notUTF8 }
        }
        if fragments == 1 { bytes = payload } else { bytes.writeImmutableBuffer(payload) }
        return nil
    }
}
