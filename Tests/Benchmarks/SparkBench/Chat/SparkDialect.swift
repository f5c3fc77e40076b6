import NIOCore

/// The stream `spark.v1`.
package struct SparkDialect: ChatDialect {
    /// One user's side of a conversation.
    package struct Account: Sendable {
        package let token: String
        package let conversation: String

        package init(token: String, conversation: String) { (self.token, self.conversation) = (token, conversation) }
    }

    private let accounts: [Account]
    private let body: String

    /// - Parameter bytes: length of a message's text.
    package init(accounts: [Account], bytes: Int = 120) {
        self.accounts = accounts
        self.body =
            String(repeating: "Shall we meet at the old bridge tonight? ", count: bytes / 40 + 1).prefix(bytes).description
    }

    package var subprotocol: String { "spark.v1" }
    package func path(of user: Int) -> String { "/api/v1/ws" }
    package func headers(of user: Int) -> [(String, String)] { [("Authorization", "Bearer \(accounts[user].token)")] }

    package func makeTalk(of user: Int, with peer: Int) -> any ChatTalk {
        Talk(conversation: accounts[user].conversation, body: body)
    }

    /// Remembers the last offset, so that a second connection resumes.
    final class Talk: ChatTalk {
        private let conversation: String
        private let body: String
        private var epoch: String?
        private var offset: Int?
        /// Numbered frames that did not follow the one before.
        private(set) var holes = 0

        init(conversation: String, body: String) { (self.conversation, self.body) = (conversation, body) }

        func begin() -> [ByteBuffer] {
            var hello = #"{"type":"hello","v":1"#
            if let epoch, let offset { hello += #","epoch":"\#(epoch)","offset":\#(offset)"# }
            return [ByteBuffer(string: hello + "}")]
        }

        func heard(_ text: ByteBuffer) -> ChatEvent {
            if text.starts(with: #"{"type":"message","#) {
                follow(text)
                guard let number = number(in: text) else { return .nothing }
                return .message(number)
            }
            if text.starts(with: #"{"type":"ack""#) { return number(in: text).map { .acknowledged($0) } ?? .nothing }
            if text.starts(with: #"{"type":"nack""#) { return number(in: text).map { .refused($0) } ?? .nothing }
            if text.starts(with: #"{"type":"live""#) {
                if offset == nil { offset = integer(in: text) }
                return .ready
            }
            if text.starts(with: #"{"type":"welcome""#) {
                epoch = text.bytes(after: #""epoch":""#).map { String(decoding: $0.prefix { $0 != 0x22 }, as: UTF8.self) }
                return .nothing
            }
            if text.starts(with: #"{"type":"resync""#) { offset = nil } else { follow(text) }
            return .nothing
        }

        func message(_ number: ChatNumber) -> ByteBuffer {
            let head = #"{"type":"message.send","client_id":"\#(number.text)","conversation":"\#(conversation)""#
            return ByteBuffer(string: head + #","kind":"text","text":"\#(body)"}"#)
        }

        private func follow(_ text: ByteBuffer) {
            guard let offset = integer(in: text) else { return }
            if let last = self.offset, offset != last + 1 { holes += 1 }
            self.offset = offset
        }

        private func integer(in text: ByteBuffer) -> Int? {
            guard let digits = text.bytes(after: #""offset":"#)?.prefix(while: { (0x30...0x39).contains($0) }), !digits.isEmpty
            else { return nil }
            return Int(String(decoding: digits, as: UTF8.self))
        }

        private func number(in text: ByteBuffer) -> ChatNumber? {
            text.bytes(after: #""client_id":""#).flatMap { ChatNumber($0.prefix(24)) }
        }
    }
}
