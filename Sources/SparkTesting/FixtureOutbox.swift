public import SparkCore
public import Testing

extension SparkFixture {
    /// Something that was sent to the outside: what a receiver took.
    public struct Sent: Sendable {
        /// The kinds.
        public enum Kind: String, Sendable {
            /// A push to a device.
            case push
            /// A notification of an alert.
            case webhook
        }

        /// The kind.
        public let kind: Kind
        /// The person's id, or the address of a webhook.
        public let receiver: String
        /// The person's name in the test; nil for none.
        public let name: String?
        /// Everything: of a push `title`, `body`, `badge` and more, of a webhook its body.
        public let content: JSONValue

        init?(_ json: JSONValue) {
            guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }), let receiver = json["to"]?.string else {
                return nil
            }
            (self.kind, self.receiver, self.name, self.content) = (kind, receiver, json["to_name"]?.string, json)
        }
    }

    /// What was sent, oldest first; the last 4,096 items are kept.
    /// - Parameters:
    ///   - kind: Only of this kind.
    ///   - receiver: Only to this person, by id or name, or to this address of a webhook.
    ///   - count: Waits until there are so many.
    ///   - patience: Waits at most so long, up to 30 seconds; then returns what there is.
    public func outbox(
        kind: Sent.Kind? = nil, to receiver: String? = nil, count: Int = 1, within patience: Duration = .zero
    ) async throws(Failure) -> [Sent] {
        let answer = try await test(
            "GET",
            FixtureQuery.path(
                "outbox", [("kind", kind?.rawValue), ("to", receiver)] + FixtureQuery.waiting(count: count, patience)))
        return (answer["items"]?.array ?? []).compactMap { Sent($0) }
    }

    /// Expects a number of items in the outbox, and records an issue if there are more or fewer.
    /// - Parameters:
    ///   - count: How many; for none it waits for the whole patience.
    ///   - kind: The kind.
    ///   - receiver: A person, by id or name, or the address of a webhook; nil for all.
    ///   - patience: Waits at most so long, up to 30 seconds.
    /// - Returns: The items.
    @discardableResult
    public func expectSent(
        _ count: Int = 1, _ kind: Sent.Kind, to receiver: String? = nil, within patience: Duration = .seconds(2),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws(Failure) -> [Sent] {
        let found = try await outbox(kind: kind, to: receiver, count: count, within: patience)
        if found.count != count {
            let place = receiver.map { " to \($0)" } ?? ""
            Issue.record(
                "expected \(count) of the kind \(kind.rawValue)\(place); there were \(found.count)",
                sourceLocation: sourceLocation)
        }
        return found
    }

    /// Forgets what was sent.
    public func clearOutbox() async throws(Failure) { try await test("DELETE", "outbox") }
}
