import SparkCore

extension Message {
    /// The members of a `message` event, and of a message in a list.
    func writeMembers(to writer: inout JSONWriter) {
        writer.field("conversation", conversation)
        writer.field("seq", seq)
        writer.field("id", id)
        writer.field("from", from)
        writer.field("client_id", clientID)
        writer.field("kind", content.wire)
        writer.field("text", text)
        writer.field("sent_at", sentAt)
        if let editedAt { writer.field("edited_at", editedAt) }
        if isDeleted { writer.field("deleted", true) }
    }

    /// The members that even a deleted message has.
    static let place: [Schema.Property] = [
        .required("conversation", .identifier(ConversationKind.self)), .required("seq", .integer(1...Int.max)),
        .required("text", .string()),
    ]

    /// The further members of a message that exists.
    static func contents(_ property: (String, Schema) -> Schema.Property) -> [Schema.Property] {
        [
            property("id", .identifier(MessageKind.self)), property("from", .identifier(UserKind.self)),
            property("client_id", .string(1...64)), property("kind", .oneOf(MessageContent.wireWords)),
            property("sent_at", .dateTime),
        ]
    }

    static let further: [Schema.Property] = [.optional("edited_at", .dateTime), .optional("deleted", .boolean)]
}

extension ShownMessage: JSONWritable, SchemaDescribed {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            message.writeMembers(to: &writer)
            writer.key("reactions")
            writer.array { writer in
                for reaction in reactions {
                    writer.object { writer in
                        writer.field("by", reaction.user)
                        writer.field("reaction", reaction.reaction)
                    }
                }
            }
        }
    }

    static let schemaName = "Message"
    static let schema = Schema.object(
        Message.place + Message.contents { .required($0, $1) } + Message.further + [
            .required(
                "reactions",
                .list(.object([.required("by", .identifier(UserKind.self)), .required("reaction", .string(1...16))])))
        ])
}
