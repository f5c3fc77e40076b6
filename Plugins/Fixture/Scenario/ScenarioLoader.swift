public import SparkCore
public import SparkKit
import Synchronization

/// Loads a scenario into a server. The crowd goes in bulk through every module's loader; people and what they did go through the API, one
/// request after the other in the order of the file, so that every rule of the server holds for them.
public final class ScenarioLoader: ScenarioLoading {
    /// A request that the scenario needs was refused.
    public struct Refused: Error, CustomStringConvertible {
        let scenario: String
        let step: String
        let status: Int
        let code: String

        /// The scenario, the step and the answer.
        public var description: String { "scenario \(scenario): \(step): \(status) \(code)" }
    }

    private let scenario: Scenario
    /// The crowd once it was made.
    private let town = Mutex<ScenarioTown?>(nil)

    /// A loader for one server.
    public init(_ scenario: Scenario) { self.scenario = scenario }

    /// The crowd, whose people are the same for the same time.
    public func town(at now: Timestamp) -> (any DemoTown)? {
        guard let description = scenario.town else { return nil }
        let made = ScenarioTown(description, now: now)
        town.withLock { $0 = made }
        return made
    }

    /// Makes the people and all that they did.
    /// - Throws: `Refused`.
    public func load(into server: any ScenarioServer) async throws {
        for person in scenario.people { try await register(person, in: server) }
        for swipes in scenario.swipes { try await load(swipes, into: server) }
        for like in scenario.likes { _ = try await swipe(like.from, like.to, like.action, in: server) }
        for match in scenario.matches { try await load(match, into: server) }
        for block in scenario.blocks {
            let target = try person(block.target, in: server).id.wire
            try await call(
                "POST", "/blocks", by: block.by, ["target_id": .string(target)], in: server, "\(block.by) blocks \(block.target)")
        }
        for report in scenario.reports {
            let target = try person(report.target, in: server).id.wire
            try await call(
                "POST", "/reports", by: report.by,
                ["target_id": .string(target), "category": .string(report.category), "text": .string(report.text)], in: server,
                "\(report.by) reports \(report.target)")
        }
        for name in scenario.closed {
            let password = scenario.people.first { $0.name == name }?.password ?? ""
            try await call("DELETE", "/me", by: name, ["password": .string(password)], in: server, "\(name) deletes the account")
        }
    }

    private func register(_ person: Scenario.Person, in server: any ScenarioServer) async throws {
        let step = "\(person.name) registers"
        let answer = try await server.call(
            "POST", "/api/v1/auth/register", token: nil,
            body: [
                "email": .string(person.email), "password": .string(person.password), "name": .string(person.displayName),
                "birth_date": .string(person.birthDate), "gender": .string(person.gender),
                "interested_in": .array(person.interestedIn.map { .string($0) }),
            ])
        guard answer.status == 201, let id = answer.body["user"]?["id"]?.string.flatMap({ UserID(wire: $0) }),
            let token = answer.body["access_token"]?.string, let refresh = answer.body["refresh_token"]?.string
        else { throw refused(step, answer) }
        server.people.add(
            FixturePerson(
                name: person.name, id: id, email: person.email, password: person.password,
                tokens: IssuedGrant(
                    accessToken: token, refreshToken: refresh,
                    expiresAt: server.now + .seconds(answer.body["expires_in"]?.integer ?? 0))))
        if let place = person.place {
            try await call(
                "PUT", "/me/location", by: person.name,
                ["latitude": .number(place.latitude), "longitude": .number(place.longitude)], in: server,
                "\(person.name) sets the place")
        }
        var change: [JSONMember] = []
        if let about = person.about { change.append(JSONMember("bio", .string(about))) }
        if let interests = person.interests { change.append(JSONMember("interests", .array(interests.map { .string($0) }))) }
        guard !change.isEmpty else { return }
        try await call("PATCH", "/me", by: person.name, .object(change), in: server, "\(person.name) writes the profile")
    }

    private func load(_ swipes: Scenario.Swipes, into server: any ScenarioServer) async throws {
        guard let town = town.withLock({ $0 }), let port = server.port((any SwipeLoading).self) else { return }
        let every = swipes.likeEvery
        try await port.load(
            swipesOf: try person(swipes.by, in: server).id, on: (0..<min(swipes.count, town.count)).map { town.id($0) }
        ) { $0.isMultiple(of: every) }
    }

    private func load(_ match: Scenario.Match, into server: any ScenarioServer) async throws {
        _ = try await swipe(match.first, match.second, "like", in: server)
        let answer = try await swipe(match.second, match.first, "like", in: server)
        guard let conversation = answer["match"]?["conversation_id"]?.string else {
            throw Refused(
                scenario: scenario.name, step: "\(match.first) and \(match.second) match", status: 200, code: "no match")
        }
        for (position, message) in match.messages.enumerated() {
            try await call(
                "POST", "/conversations/\(conversation)/messages", by: message.from,
                ["client_id": .string("scenario-\(conversation)-\(position + 1)"), "text": .string(message.text)], in: server,
                "\(message.from) writes message \(position + 1)")
        }
    }

    private func swipe(
        _ name: String, _ target: String, _ action: String, in server: any ScenarioServer
    ) async throws -> JSONValue {
        let target = try person(target, in: server).id.wire
        return try await call(
            "POST", "/swipes", by: name, ["target_id": .string(target), "action": .string(action)], in: server, "\(name) swipes")
    }

    private func person(_ name: String, in server: any ScenarioServer) throws -> FixturePerson {
        guard let person = server.people[name] else {
            throw Refused(scenario: scenario.name, step: name, status: 404, code: "nobody")
        }
        return person
    }

    @discardableResult
    private func call(
        _ method: String, _ path: String, by name: String, _ body: JSONValue, in server: any ScenarioServer, _ step: String
    ) async throws -> JSONValue {
        let answer = try await server.call(
            method, "/api/v1\(path)", token: try person(name, in: server).tokens?.accessToken, body: body)
        guard (200..<300).contains(answer.status) else { throw refused(step, answer) }
        return answer.body
    }

    private func refused(_ step: String, _ answer: (status: Int, body: JSONValue)) -> Refused {
        Refused(scenario: scenario.name, step: step, status: answer.status, code: answer.body["code"]?.string ?? "")
    }
}
