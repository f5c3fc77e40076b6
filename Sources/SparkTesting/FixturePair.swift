public import SparkClient
public import SparkCore

extension SparkFixture {
    /// A person of a server for tests.
    public struct Person: Sendable {
        /// The person's identifier.
        public let id: UserID
        /// The name that the scenario or the test gave them; nil for none.
        public let name: String?
        /// A client that is signed in as them, for requests without types.
        public let client: SparkClient
        /// The same login, with a method for each route.
        public let session: SparkSession
    }

    /// Two people who are matched.
    public struct Pair: Sendable {
        /// The first one, who liked first.
        public let first: Person
        /// The second one.
        public let second: Person
        /// Their conversation, without messages.
        public let conversation: ConversationID
        /// The match as the second one sees it.
        public let match: JSONValue
    }

    /// Makes a person in one call, ready for decks.
    /// - Parameters:
    ///   - parts: Any part of a registration, and `location`, `preferences`, `about`, `interests`, `visibility`; the server chooses
    ///     the rest. Without a location a person is in no deck.
    ///   - name: A name for `person` and for everything that takes a person's id: 1 to 64 letters, digits, `-` and `_`.
    @discardableResult
    public func add(_ parts: JSONValue = [:], named name: String? = nil) async throws(Failure) -> Person {
        var body = parts
        if let name, case .object(let members) = parts { body = .object(members + [JSONMember("name_in_test", .string(name))]) }
        let answer = try await test("POST", "users", body)
        return try signedIn(answer["user"], answer, name: name)
    }

    /// The person with a name, of the scenario or one that was added.
    public func person(_ name: String) async throws(Failure) -> Person {
        let answer = try await test("GET", "users/\(SparkRequest.escaped(name))")
        return try signedIn(answer, answer, name: name)
    }

    /// Makes two people who are matched, a woman and a man in Paris.
    public func matchedPair() async throws(Failure) -> Pair {
        let place: JSONValue = ["latitude": 48.8566, "longitude": 2.3522]
        let first = try await add(["gender": "woman", "interested_in": ["man"], "location": place])
        let second = try await add(["gender": "man", "interested_in": ["woman"], "location": place])
        _ = try await like(first, second)
        let answer = try await like(second, first)
        let match = answer["match"] ?? .null
        guard let conversation = match["conversation_id"]?.string.flatMap({ ConversationID(wire: $0) }) else {
            throw failure(.unexpected("the second like made no match"))
        }
        return Pair(first: first, second: second, conversation: conversation, match: match)
    }

    private func like(_ person: Person, _ target: Person) async throws(Failure) -> JSONValue {
        try await call(
            person.client, "POST", "/api/v1/swipes", ["target_id": .string(target.id.wire), "action": "like"])
    }

    private func signedIn(_ portrait: JSONValue?, _ grant: JSONValue, name: String?) throws(Failure) -> Person {
        let wire = try text(portrait, "id", of: "users")
        guard let id = UserID(wire: wire) else { throw failure(.unexpected("users has the id \(wire)")) }
        guard let token = grant["access_token"]?.string else { throw failure(.notSignedIn(name ?? wire)) }
        let tokens = SparkSession.Tokens(access: token, refresh: grant["refresh_token"]?.string, userID: wire)
        return Person(id: id, name: name, client: client(token: token), session: session(tokens: tokens))
    }
}
