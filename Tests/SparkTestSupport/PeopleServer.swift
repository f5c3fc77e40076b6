import Foundation
package import SparkClient
package import SparkCore

/// A server on which tests make people and match them, by the public API only: a `TestServer`, a fixture around one, or a server
/// behind a `SparkClient`.
package protocol PeopleServer: Sendable {
    /// Sends a request and returns the answer, whatever its status.
    /// - Parameter path: the whole path with its query.
    func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer
}

extension TestServer: PeopleServer {
    package func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer {
        try await call(method, path, token: token, json: body.map { JSONWriter.string(of: $0) })
    }
}

extension TestServer {
    /// Signs in a person who already exists, such as one of a demo town.
    package func person(whoIs user: UserID) async throws -> Person<TestServer> {
        let token = try await port((any TokenIssuing).self).issueToken(for: user).token
        return Person(id: user, email: "", token: token, refreshToken: "", server: self)
    }
}

extension SparkClient: PeopleServer {
    package func answer(_ method: String, _ path: String, token: String?, body: JSONValue?) async throws -> TestAnswer {
        let answer = try await (token.map { authenticated(with: $0) } ?? self).send(method, path, json: body)
        return TestAnswer(status: answer.status, headers: answer.headers, body: String(decoding: answer.body, as: UTF8.self))
    }
}

extension PeopleServer {
    /// A call of a person's.
    /// - Parameter path: relative to `/api/v1`.
    package func call(
        _ method: String, _ path: String, _ person: Person<Self>, _ body: JSONValue? = nil
    ) async throws -> TestAnswer {
        try await answer(method, "/api/v1\(path)", token: person.token, body: body)
    }

    /// Registers somebody. By default everybody suits everybody.
    /// - Parameters:
    ///   - email: one of their own if nil.
    ///   - place: where they are; nowhere if nil.
    package func person(
        _ name: String = "Ada", email: String? = nil, gender: String = "woman",
        interestedIn: [String] = ["woman", "man", "nonbinary"], birthDate: String = "1995-06-15", at place: Coordinate? = nil
    ) async throws -> Person<Self> {
        let address = email ?? "\(name)-\(UUID().uuidString.prefix(8))@example.org".lowercased()
        let answer = try await answer(
            "POST", "/api/v1/auth/register", token: nil,
            body: Credentials.registration(
                email: address, name: name, gender: gender, interestedIn: interestedIn, birthDate: birthDate))
        let json = try answer.expected(201).json
        guard let id = json["user"]?["id"]?.string.flatMap({ UserID(wire: $0) }), let token = json["access_token"]?.string,
            let refreshToken = json["refresh_token"]?.string
        else { throw UnexpectedAnswer(answer) }
        let person = Person(id: id, email: address, token: token, refreshToken: refreshToken, server: self)
        if let place { try await move(person, to: place) }
        return person
    }

    /// Registers several, who all suit each other, one after the other.
    package func people(_ count: Int) async throws -> [Person<Self>] {
        var people: [Person<Self>] = []
        for _ in 0..<count { people.append(try await person()) }
        return people
    }

    package func move(_ person: Person<Self>, to place: Coordinate) async throws {
        let answer = try await call(
            "PUT", "/me/location", person,
            ["latitude": .number(place.latitude), "longitude": .number(place.longitude)])
        try answer.expected(200)
    }

    @discardableResult
    package func swipe(_ person: Person<Self>, _ target: UserID, _ action: String = "like") async throws -> TestAnswer {
        try await call("POST", "/swipes", person, ["target_id": .string(target.wire), "action": .string(action)])
    }

    @discardableResult
    package func swipe(_ person: Person<Self>, _ target: Person<Self>, _ action: String = "like") async throws -> TestAnswer {
        try await swipe(person, target.id, action)
    }

    /// Matches two people; the second completes the match.
    package func match(_ a: Person<Self>, _ b: Person<Self>) async throws -> ConversationID {
        try await swipe(a, b)
        let answer = try await swipe(b, a)
        let conversation = answer.json["match"]?["conversation_id"]?.string
        guard let conversation = conversation.flatMap({ ConversationID(wire: $0) }) else { throw UnexpectedAnswer(answer) }
        return conversation
    }

    /// Two new people who are matched.
    package func matchedPair(
        _ first: String = "Anna", _ second: String = "Ben", at place: Coordinate? = nil
    ) async throws -> MatchedPair<Self> {
        let anna = try await person(first, interestedIn: ["man"], at: place)
        let ben = try await person(second, gender: "man", interestedIn: ["woman"], at: place)
        return MatchedPair(first: anna, second: ben, conversation: try await match(anna, ben))
    }

    package func block(_ target: Person<Self>, by person: Person<Self>) async throws {
        let answer = try await call("POST", "/blocks", person, ["target_id": .string(target.id.wire)])
        try answer.expected(204)
    }

    /// Sends a message.
    /// - Parameter clientID: one of its own if nil.
    @discardableResult
    package func send(
        _ text: String, to conversation: ConversationID, by person: Person<Self>, clientID: String? = nil
    ) async throws -> TestAnswer {
        try await call(
            "POST", "/conversations/\(conversation.wire)/messages", person,
            ["client_id": .string(clientID ?? UUID().uuidString), "text": .string(text)])
    }

    /// Sends a message that must be accepted.
    package func say(_ text: String, to conversation: ConversationID, by person: Person<Self>) async throws {
        let answer = try await send(text, to: conversation, by: person)
        try answer.expected(201)
    }

    /// Signs a person in; the answer has the tokens of the new session.
    @discardableResult
    package func logIn(_ person: Person<Self>) async throws -> TestAnswer {
        let answer = try await answer(
            "POST", "/api/v1/auth/login", token: nil,
            body: ["email": .string(person.email), "password": .string(Credentials.password)])
        try answer.expected(200)
        return answer
    }
}

/// Two matched people, a woman and a man, and their conversation.
package struct MatchedPair<Server: PeopleServer>: Sendable {
    package let first: Person<Server>
    package let second: Person<Server>
    package let conversation: ConversationID
}

extension TestAnswer {
    /// The answer itself.
    /// - Throws: `UnexpectedAnswer` if its status is another one.
    @discardableResult
    package func expected(_ status: Int) throws -> TestAnswer {
        guard self.status == status else { throw UnexpectedAnswer(self) }
        return self
    }
}

/// An answer with which a test cannot go on.
package struct UnexpectedAnswer: Error, CustomStringConvertible {
    private let answer: TestAnswer

    package init(_ answer: TestAnswer) { self.answer = answer }

    package var description: String { "\(answer.status) \(answer.body)" }
}

/// What `PeopleServer.person` registers people with.
package enum Credentials {
    package static let password = "correct horse battery"

    /// The body of a valid registration.
    package static func registration(
        email: String, name: String = "Ada", gender: String = "woman", interestedIn: [String] = ["man"],
        birthDate: String = "1995-06-15"
    ) -> JSONValue {
        [
            "email": .string(email), "password": .string(password), "name": .string(name), "birth_date": .string(birthDate),
            "gender": .string(gender), "interested_in": .array(interestedIn.map { .string($0) }),
        ]
    }
}
