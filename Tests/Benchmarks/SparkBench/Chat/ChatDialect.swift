package import NIOCore

/// The protocol of one chat server, so that the same load can be put on several.
package protocol ChatDialect: Sendable {
    /// Where a user connects.
    func path(of user: Int) -> String
    func headers(of user: Int) -> [(String, String)]
    var subprotocol: String { get }
    /// A conversation of one user's connection, from the upgrade on. Belongs to an event loop.
    func makeTalk(of user: Int, with peer: Int) -> any ChatTalk
}

/// The messages of one connection.
package protocol ChatTalk: AnyObject {
    /// The first texts after the upgrade.
    func begin() -> [ByteBuffer]
    /// A text arrived.
    func heard(_ text: ByteBuffer) -> ChatEvent
    /// The message of a number, to the peer.
    func message(_ number: ChatNumber) -> ByteBuffer
}

package enum ChatEvent {
    case nothing
    /// The next texts of the beginning.
    case say([ByteBuffer])
    /// Messages can be sent and received.
    case ready
    /// The server has accepted a message.
    case acknowledged(ChatNumber)
    case refused(ChatNumber)
    /// A message, by its number; also the sender's own copy.
    case message(ChatNumber)
}

/// Names a message within a run of the load.
package struct ChatNumber: Hashable, Sendable {
    package let run: UInt32
    package let index: Int

    package init(run: UInt32, index: Int) { (self.run, self.index) = (run, index) }

    /// `run-index`.
    package var text: String { "\(run)-\(index)" }

    /// Reads `run-index`, from some bytes on.
    package init?(_ bytes: some Sequence<UInt8>) {
        var (numbers, current): ([Int], Int) = ([], 0)
        for byte in bytes {
            if byte == UInt8(ascii: "-") {
                numbers.append(current)
                current = 0
            } else if (0x30...0x39).contains(byte), current < 1 << 40 {
                current = current * 10 + Int(byte - 0x30)
            } else {
                break
            }
        }
        guard let run = numbers.first.flatMap({ UInt32(exactly: $0) }), numbers.count == 1 else { return nil }
        self.init(run: run, index: current)
    }
}

extension ByteBuffer {
    /// The bytes that follow a text; nil if the text is not there.
    package func bytes(after text: StaticString) -> ByteBufferView? {
        let end = text.withUTF8Buffer { needle in
            withUnsafeReadableBytes { hay -> Int in
                guard hay.count >= needle.count, let first = needle.first else { return -1 }
                for start in 0...(hay.count - needle.count) where hay[start] == first {
                    if needle.indices.allSatisfy({ hay[start + $0] == needle[$0] }) { return start + needle.count }
                }
                return -1
            }
        }
        return end < 0 ? nil : readableBytesView.dropFirst(end)
    }

    package func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { needle in withUnsafeReadableBytes { $0.starts(with: needle) } }
    }
}
