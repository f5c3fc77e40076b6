import SparkCore
import SparkKit

// What Chat reads from request bodies and frames. A refused value is replaced by a harmless one until the reader's `finish`
// throws.

/// A message to be sent, with its format checked.
struct NewMessage: Sendable {
    static let clientIDLength = 1...64

    let clientID: String
    let content: MessageContent
    let text: String

    init(clientID: String, content: MessageContent, text: String) {
        self.clientID = clientID
        self.content = content
        self.text = text
    }

    /// - Parameters:
    ///   - characters: the maximum length of a text.
    ///   - pictures: decides which stickers and GIFs are allowed.
    init(from reader: inout ObjectReader, characters: Int, pictures: PictureRule) {
        clientID = reader.value("client_id", format: "1 to 64 visible ASCII characters", Self.clientID) ?? ""
        content =
            reader.optional("kind", format: MessageContent.wireWords.joined(separator: ", ")) { MessageContent(wire: $0) }
            ?? .text
        text =
            content == .text
            ? reader.messageText(characters: characters) : reader.picture(content, pictures, characters: characters)
    }

    /// The client identifier if it is 1 to 64 visible ASCII characters; nil otherwise.
    static func clientID(_ text: String) -> String? {
        clientIDLength.contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }

    static func properties(characters: Int) -> [Schema.Property] {
        [
            .required("client_id", .string(clientIDLength)), .optional("kind", .oneOf(MessageContent.wireWords)),
            .required("text", .string(1...characters)),
        ]
    }
}

extension ObjectReader {
    /// A message text in its stored form. It must contain something visible.
    mutating func messageText(characters: Int) -> String { visibleText("text", TextRule(.lines, atMost: characters)) }

    /// The identifier or address of a sticker or a GIF.
    mutating func picture(_ content: MessageContent, _ rule: PictureRule, characters: Int) -> String {
        let text = string("text", length: 1...characters)
        if !text.isEmpty, !rule.names(text, as: content) {
            refuse("text", "format", "An identifier, or an address at one of the servers that the operator allows.")
        }
        return text
    }

    mutating func seq(_ key: String = "seq") -> Int64 { Int64(integer(key, 1...Int.max)) }

    mutating func conversation() -> ConversationID {
        value("conversation", format: "the id of a conversation") { ConversationID(wire: $0) } ?? ConversationID(rawValue: 0)
    }

    /// One character; null removes the reaction.
    mutating func reaction() -> String? {
        optional("reaction", format: "one visible character, or null", Reaction.normalised)
    }
}

/// The body of a new message. The schema gives the longest text that can be configured; the configuration may allow less.
struct MessageBody: HandReadBody {
    /// Checked against the greatest configurable length, with pictures from any server. The route then applies the configured
    /// rules.
    let message: NewMessage

    init(from reader: inout ObjectReader) { message = NewMessage(from: &reader, characters: 8_000, pictures: .anywhere) }

    static let schemaName = "NewMessage"
    static let schema = Schema.object(NewMessage.properties(characters: 8_000))
}

struct MessageEditBody: HandReadBody {
    let text: String

    init(from reader: inout ObjectReader) { text = reader.messageText(characters: 8_000) }

    static let schemaName = "MessageEdit"
    static let schema = Schema.object([.required("text", .string(1...8_000))])
}

struct ReactionBody: HandReadBody {
    let reaction: String

    init(from reader: inout ObjectReader) {
        reaction =
            reader.value("reaction", format: "one visible character", Reaction.normalised) ?? ""
    }

    static let schemaName = "Reaction"
    static let schema = Schema.object([.required("reaction", .string(Reaction.scalars))])
}

struct ReadBody: HandReadBody {
    let seq: Int64

    init(from reader: inout ObjectReader) { seq = reader.seq() }

    static let schemaName = "ReadMark"
    static let schema = Schema.object([.required("seq", .integer(1...Int.max))])
}
