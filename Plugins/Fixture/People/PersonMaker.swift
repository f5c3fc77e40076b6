import HTTPTypes
import SparkCore
import SparkKit
import SparkStorage

/// Makes people through the public API, so that everything is checked as it always is.
struct PersonMaker {
    private static let password = "correct horse battery"
    private static let names = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo", "Iris", "Jan", "Kim", "Leo"]
    private static let adultYears = 30
    /// How many addresses are tried if a test uses those of the fixture itself.
    private static let mostAddresses = 100

    let server: any FixtureServing
    let people: FixturePeople
    let clock: any WallClock

    /// - Returns: the answer of the registration with everything applied, or the first refusal. After a refusal there is no
    ///   account.
    func make(_ form: PersonForm) async throws -> Reply {
        // What the test asked to go wrong is for its own calls.
        try await WriteOrigin.$isBackground.withValue(true) { try await server.asOne { try await made(form) } }
    }

    private func made(_ form: PersonForm) async throws -> Reply {
        let (reply, registration) = try await register(form)
        guard reply.status == .created else { return reply }
        let grant = try JSONParser.parse(reply.body)
        guard let id = grant["user"]?["id"]?.string.flatMap({ UserID(wire: $0) }), let token = grant["access_token"]?.string,
            let refreshToken = grant["refresh_token"]?.string
        else { return reply }
        if let refusal = try await refusal(applying: form, token) {
            _ = try await server.port((any AccountErasing).self)?.erase(id)
            return refusal
        }
        if let name = form.name {
            people.add(
                FixturePerson(
                    name: name, id: id, email: registration["email"]?.string ?? "",
                    password: registration["password"]?.string ?? "",
                    tokens: IssuedGrant(
                        accessToken: token, refreshToken: refreshToken,
                        expiresAt: clock.now() + .seconds(grant["expires_in"]?.integer ?? 0))))
        }
        return try await answer(grant, token)
    }

    /// The registration's answer with the person as they are now.
    private func answer(_ grant: JSONValue, _ token: String) async throws -> Reply {
        let own = try await server.call("GET", "/api/v1/me", token: token, body: nil)
        guard own.status == .ok, case .object(let members) = grant else { return .json(grant, .created) }
        let user = try JSONParser.parse(own.body)
        return .json(JSONValue.object(members.map { $0.key == "user" ? JSONMember("user", user) : $0 }), .created)
    }

    /// Registers with what the form has, and with a value for everything else.
    private func register(_ form: PersonForm) async throws -> (reply: Reply, registration: JSONValue) {
        for _ in 0..<Self.mostAddresses {
            let number = people.nextNumber()
            let registration = JSONValue.object(
                defaults(number, form).map { JSONMember($0.key, form.members[$0.key] ?? $0.value) })
            let reply = try await server.call("POST", "/api/v1/auth/register", token: nil, body: registration)
            guard reply.status == .conflict, form.members["email"] == nil else { return (reply, registration) }
        }
        throw EdgeError.overloaded
    }

    private func defaults(_ number: Int, _ form: PersonForm) -> [JSONMember] {
        let isWord = form.name?.unicodeScalars.allSatisfy(\.properties.isAlphabetic) ?? false
        let name = isWord ? form.name.map { $0.prefix(1).uppercased() + $0.dropFirst() } : nil
        return [
            JSONMember("email", .string("person-\(number)@fixture.example")),
            JSONMember("password", .string(Self.password)),
            JSONMember("name", .string(name ?? Self.names[(number - 1) % Self.names.count])),
            JSONMember("birth_date", .string("\(clock.now().date.year - Self.adultYears)-01-01")),
            JSONMember("gender", .string(number.isMultiple(of: 2) ? Gender.man.wire : Gender.woman.wire)),
            JSONMember("interested_in", .array(Gender.wireWords.map { .string($0) })),
        ]
    }

    /// Applies the parts that a registration does not have.
    /// - Returns: the first answer that refuses one; nil if all were accepted.
    private func refusal(applying form: PersonForm, _ token: String) async throws -> Reply? {
        let profile = PersonForm.profileParts.compactMap { part in form.members[part].map { JSONMember(part, $0) } }
        var steps: [(method: String, path: String, body: JSONValue)] = []
        if !profile.isEmpty { steps.append(("PATCH", "/api/v1/me", .object(profile))) }
        if let preferences = form.members["preferences"] {
            steps.append(("PUT", "/api/v1/me/preferences", try await completed(preferences, token)))
        }
        if let location = form.members["location"] { steps.append(("PUT", "/api/v1/me/location", location)) }
        for step in steps {
            let reply = try await server.call(step.method, step.path, token: token, body: step.body)
            guard reply.status.kind == .successful else { return reply }
        }
        return nil
    }

    /// The given preferences over the present ones, because the route replaces all of them.
    private func completed(_ given: JSONValue, _ token: String) async throws -> JSONValue {
        let reply = try await server.call("GET", "/api/v1/me/preferences", token: token, body: nil)
        guard case .object(let changes) = given, reply.status == .ok,
            case .object(let present) = try JSONParser.parse(reply.body)
        else { return given }
        return .object(present.filter { given[$0.key] == nil } + changes)
    }
}
