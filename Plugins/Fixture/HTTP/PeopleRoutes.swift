import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage

/// The routes that make people and find those with names.
struct PeopleRoutes {
    /// Tokens that last less are replaced.
    private static let leastLifetime = Duration.seconds(60)

    let hooks: FixtureHooks
    let people: FixturePeople

    var all: [Route] {
        [
            .fixture(
                .post, "/users", "Make an account in one call, ready for decks; the answer is that of a registration",
                body: .of(PersonForm.self), status: .created, answer: .of(GrantView.self), handler: make),
            .fixture(
                .get, "/users/{name}", "The person of a name, with the tokens of an open session",
                answer: .of(NamedPerson.self), errors: [FixtureError.unknownName], handler: find),
        ]
    }

    private func make(_ call: Call) async throws -> Reply {
        guard let server = hooks.server else { throw EdgeError.starting }
        let maker = PersonMaker(server: server, people: people, clock: hooks.clock)
        return Self.unstored(try await maker.make(call.body()))
    }

    private func find(_ call: Call) async throws -> Reply {
        guard let person = call.segment("name").flatMap({ people[$0] }) else { throw FixtureError.unknownName }
        let working = try await WriteOrigin.$isBackground.withValue(true) { try await tokens(of: person) }
        return Self.unstored(.json(NamedPerson(person: person, tokens: working, now: hooks.clock.now())))
    }

    /// Tokens that work: the last ones, or those of a new session; nil for an account that is closed, suspended or gone.
    private func tokens(of person: FixturePerson) async throws -> IssuedGrant? {
        guard let server = hooks.server else { throw EdgeError.starting }
        if let tokens = person.tokens, tokens.expiresAt > hooks.clock.now() + Self.leastLifetime {
            let sessions = try await server.call("GET", "/api/v1/auth/sessions", token: tokens.accessToken, body: nil)
            if sessions.status == .ok { return tokens }
        }
        guard let issuer = server.port((any TokenIssuing).self) else { return nil }
        do {
            var copy = person
            copy.tokens = try await issuer.issueGrant(for: person.id)
            people.add(copy)
            return copy.tokens
        } catch let error as any ClientError where error.status == 404 {
            return nil
        }
    }

    /// Forbids caches to store tokens.
    private static func unstored(_ reply: Reply) -> Reply {
        var reply = reply
        reply.headers[.cacheControl] = "no-store"
        return reply
    }
}

/// The answer to a registration, as the document shows it: the modules of the server write it.
struct GrantView: JSONObject {
    static let fields = Fields<GrantView>("FixtureGrant", "A person and the tokens of their session.") {
        Field("user", { _ in JSONValue.null }, FieldType<JSONValue>(portrait, write: { $0.write(to: &$1) }))
        Field("access_token", { _ in "" }, .string, "For the header field Authorization.")
        Field("refresh_token", { _ in "" }, .string, "To be exchanged once.")
        Field("token_type", { _ in "Bearer" }, .constant("Bearer"))
        Field("expires_in", { _ in 0 }, .integer.example(900), "The access token's lifetime in seconds.")
    }

    private static let portrait = Schema.map(
        of: .anyValue, example: ["id": .string(UserID(rawValue: 0x0123_4567_89AB_CDEF).wire), "name": "Ada"]
    ).named("FixturePortrait", "The person as they see themselves, as in the answer to GET /me.")
}

/// The answer to `GET /users/{name}`.
struct NamedPerson: JSONObject {
    let person: FixturePerson
    /// Nil for an account that cannot have a session.
    let tokens: IssuedGrant?
    let now: Timestamp

    static let fields = Fields<NamedPerson>("FixturePerson", "A person with a name in the test.") {
        Field("name", \.person.name, .string.example("ada"), "The name in the test.")
        Field("id", \.person.id)
        Field("email", \.person.email, .string.example("person-1@fixture.example"))
        Field("password", \.person.password, .string.example("correct horse battery"))
        Field("access_token", \.tokens?.accessToken, .nullable(.string), "Null if the account is closed, suspended or gone.")
        Field("refresh_token", \.tokens?.refreshToken, .nullable(.string))
        Field(
            "expires_in", { person in person.tokens.map { ($0.expiresAt - person.now).components.seconds } },
            .nullable(.integer.example(900)), "The access token's lifetime in seconds.")
    }
}
