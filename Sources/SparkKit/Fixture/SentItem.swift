package import SparkCore

/// Something that the server sent to the outside, or would have sent: a fixture uses the network only where it is configured.
package struct SentItem: Sendable {
    /// What was sent.
    package enum Kind: String, WireWord {
        /// A push to one device of a person.
        case push
        /// A notification of an alert.
        case webhook

        package static let schemaName = "SentKind"
        package static let summary = "What was sent."
    }

    /// What was sent.
    package let kind: Kind
    /// The person; nil for a webhook.
    package let user: UserID?
    /// Where a webhook goes; empty for none.
    package let address: String
    /// When the receiver took it, by the server's clock.
    package let at: Timestamp
    /// The item's further members, an object.
    package let content: JSONValue

    /// A push that its provider accepted.
    package static func push(to user: UserID, at: Timestamp, _ content: JSONValue) -> SentItem {
        SentItem(kind: .push, user: user, address: "", at: at, content: content)
    }

    /// A notification that its receiver accepted.
    package static func webhook(to address: String, at: Timestamp, _ content: JSONValue) -> SentItem {
        SentItem(kind: .webhook, user: nil, address: address, at: at, content: content)
    }
}
