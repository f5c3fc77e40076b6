import NIOCore

/// The frames that wait for a slow reader, bounded by bytes and by count. When the backlog is full, frames without an offset are
/// dropped; if that is not enough, the connection must end. The client receives numbered events again after it reconnects.
struct SendBacklog {
    static let maximumBytes = 256 * 1_024
    static let maximumCount = 1_000

    private var frames: CircularBuffer<(text: ByteBuffer, isNumbered: Bool)>
    private(set) var bytes = 0
    private(set) var dropped = 0

    init() { frames = CircularBuffer(initialCapacity: 1) }

    var isEmpty: Bool { frames.isEmpty }
    var count: Int { frames.count }

    /// - Returns: false when the frame is numbered and there is no room for it.
    mutating func append(_ text: ByteBuffer, isNumbered: Bool) -> Bool {
        if fits(text) { return push(text, isNumbered: isNumbered) }
        guard isNumbered else {
            dropped += 1
            return true
        }
        dropUnnumbered()
        return fits(text) ? push(text, isNumbered: true) : false
    }

    mutating func popFirst() -> ByteBuffer? {
        guard let first = frames.popFirst() else { return nil }
        bytes -= first.text.readableBytes
        if frames.isEmpty { frames = CircularBuffer(initialCapacity: 1) }
        return first.text
    }

    private func fits(_ text: ByteBuffer) -> Bool {
        frames.count < Self.maximumCount && bytes + text.readableBytes <= Self.maximumBytes
    }

    private mutating func push(_ text: ByteBuffer, isNumbered: Bool) -> Bool {
        frames.append((text, isNumbered))
        bytes += text.readableBytes
        return true
    }

    private mutating func dropUnnumbered() {
        let kept = frames.filter(\.isNumbered)
        dropped += frames.count - kept.count
        frames = CircularBuffer(initialCapacity: max(1, kept.count))
        bytes = 0
        for frame in kept {
            frames.append(frame)
            bytes += frame.text.readableBytes
        }
    }
}
