import SparkCore

// What Chat reads from request bodies; frames have the same fields and the conversation.

/// A message to be sent, with its format checked.
struct NewMessage: Sendable {
    let clientID: String
    let content: MessageContent
    let text: String

    /// The client identifier if it is 1 to 64 visible ASCII characters; nil otherwise.
    static func clientID(_ text: String) -> String? {
        clientIDLength.contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }

    private static let clientIDLength = 1...64

    /// The client identifier of a message, as everything shows it.
    static let clientIDType = FieldType(
        .string(clientIDLength), format: "1 to 64 visible ASCII characters", parse: clientID, text: \.self)
}

extension NewMessage: RequestBody {
    /// Read with the greatest configurable length, with pictures from any server. The route then applies the configured rules.
    static let body = fields(characters: ChatConfiguration.mostCharacters, pictures: .anywhere)

    /// The fields under the configured rules.
    /// - Parameters:
    ///   - characters: The maximum length of a text.
    ///   - pictures: Decides which stickers and GIFs are allowed.
    static func fields(characters: Int, pictures: PictureRule) -> BodyFields<NewMessage> {
        let clientID = Field<NewMessage, String>(
            "client_id", \.clientID, clientIDType, "Chosen by the client; the same one again is the same message.")
        let kind = Field<NewMessage, MessageContent>("kind", \.content, .word, default: .text)
        let text = Field<NewMessage, String>("text", \.text, .text(TextRule(.lines, atMost: characters)))
        // A picture is named and not shown, so its text is no visible text.
        let picture = Field<NewMessage, String>("text", \.text, .string(1...characters))
        return BodyFields(
            "NewMessage", "A message to be sent.",
            read: { reader in
                let (id, content) = (clientID.read(from: &reader), kind.read(from: &reader))
                let words: String?
                if let content, content != .text {
                    words = picture.read(from: &reader)
                    if let words, !pictures.names(words, as: content) {
                        reader.refuse("text", "format", PictureRule.detail)
                        return nil
                    }
                } else {
                    words = text.read(from: &reader)
                }
                guard let id, let content, let words else { return nil }
                return NewMessage(clientID: id, content: content, text: words)
            }
        ) {
            clientID
            kind
            text
        }
    }
}

/// Another text for a message.
struct MessageEdit: RequestBody {
    let text: String

    /// Read with the greatest configurable length. The route then applies the configured one.
    static let body = fields(characters: ChatConfiguration.mostCharacters)

    /// The fields under the configured rules.
    static func fields(characters: Int) -> BodyFields<MessageEdit> {
        BodyFields("MessageEdit", "Another text for a message.", MessageEdit.init(text:)) {
            Field("text", \.text, .text(TextRule(.lines, atMost: characters)))
        }
    }
}

/// The body of a reaction.
struct ReactionBody: RequestBody {
    let reaction: String

    static let body = BodyFields<ReactionBody>("Reaction", "An answer with one sign.", ReactionBody.init(reaction:)) {
        Field("reaction", \.reaction, Reaction.type("one visible character"))
    }
}

extension Reaction {
    /// One visible character.
    /// - Parameter format: What is expected, for the violation.
    static func type(_ format: String) -> FieldType<String> {
        FieldType(.string(scalars), format: format, parse: normalised, text: \.self).example("\u{2764}\u{FE0F}")
    }
}

/// The body of a read mark.
struct ReadBody: RequestBody {
    let seq: Int64

    static let body = BodyFields<ReadBody>("ReadMark", "The last message that was read.", ReadBody.init(seq:)) {
        Field("seq", \.seq, .seq)
    }
}

extension FieldType where Value == Int64 {
    /// A message's place in its conversation.
    static var seq: FieldType { .integer(1...Int.max) }
    /// A place in a conversation, or 0 for the place before the first message.
    static var seqOrNone: FieldType { .integer(0...Int.max) }
}
