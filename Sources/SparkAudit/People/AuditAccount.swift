import SparkClient
import SparkCore
import Synchronization

/// How many requests the audit has sent.
final class RequestCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

/// Who signs up at the audited server: about a hundred and nine years old, and interested in people as old, so that nobody real is
/// in their decks nor they in anybody's.
struct AuditRole: Sendable {
    let name: String
    let gender: Gender
    let interestedIn: Gender

    static let victim = AuditRole(name: "Victim", gender: .woman, interestedIn: .man)
    static let spy = AuditRole(name: "Spy", gender: .man, interestedIn: .woman)
}

/// A synthetic person at the audited server, as any client could make one.
actor AuditAccount {
    nonisolated let id: String
    private static let password = "audit of places, not a person"
    /// Answers "later" that are waited for, one after the other.
    private static let patience = 20

    private let email: String
    private var client: SparkClient
    private let requests: RequestCount

    private init(id: String, email: String, client: SparkClient, requests: RequestCount) {
        self.id = id
        self.email = email
        self.client = client
        self.requests = requests
    }

    static func register(
        _ role: AuditRole, email: String, at client: SparkClient, requests: RequestCount
    ) async throws -> AuditAccount {
        let answer = try await patiently {
            requests.increment()
            return try await client.send(
                "POST", "/api/v1/auth/register",
                json: [
                    "email": .string(email), "password": .string(password), "name": .string(role.name),
                    "birth_date": "1917-06-15", "gender": .string(role.gender.wire),
                    "interested_in": [.string(role.interestedIn.wire)],
                ] as JSONValue)
        }
        guard answer.status == 201, let id = answer.json["user"]?["id"]?.string,
            let token = answer.json["access_token"]?.string
        else { throw AuditError.refused(answer) }
        return AuditAccount(id: id, email: email, client: client.authenticated(with: token), requests: requests)
    }

    /// For connections that are no single requests.
    var authenticatedClient: SparkClient { client }

    /// One request, logged in anew when the token has ended, and repeated when the server says later; whatever it answers then.
    func send(_ method: String, _ path: String, _ json: JSONValue? = nil) async throws -> SparkAnswer {
        let answer = try await sendPatiently(method, path, json)
        guard answer.status == 401 else { return answer }
        try await logIn()
        return try await sendPatiently(method, path, json)
    }

    /// - Throws: `AuditError.refused` for every status but 2xx.
    func call(_ method: String, _ path: String, _ json: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await send(method, path, json)
        guard (200..<300).contains(answer.status) else { throw AuditError.refused(answer) }
        return answer.json
    }

    /// Tells a place.
    /// - Returns: where the server takes the person to be; nil when it does not believe the move, for its pace.
    func move(to place: Coordinate) async throws -> Coordinate? {
        let answer = try await send(
            "PUT", "/api/v1/me/location",
            ["latitude": .number(place.latitude), "longitude": .number(place.longitude)])
        if answer.isRefusedMove { return nil }
        guard answer.status == 200, let latitude = answer.json["latitude"]?.double,
            let longitude = answer.json["longitude"]?.double
        else { throw AuditError.refused(answer) }
        return Coordinate(latitude: latitude, longitude: longitude)
    }

    /// Says how far to look, and to be looked at.
    func look(kilometres: Int) async throws {
        _ = try await call(
            "PUT", "/api/v1/me/preferences",
            ["min_age": 100, "max_age": 120, "max_distance_km": .integer(Int64(kilometres))])
    }

    /// Deletes the account, with the password: an audit may take longer than a login counts as recent.
    func leave() async throws {
        _ = try await send("DELETE", "/api/v1/me", ["password": .string(Self.password)])
    }

    private func sendPatiently(_ method: String, _ path: String, _ json: JSONValue?) async throws -> SparkAnswer {
        try await Self.patiently { [client, requests] in
            requests.increment()
            return try await client.send(method, path, json: json)
        }
    }

    private func logIn() async throws {
        let answer = try await Self.patiently { [client, email] in
            try await client.send(
                "POST", "/api/v1/auth/login",
                json: ["email": .string(email), "password": .string(Self.password)] as JSONValue)
        }
        guard let token = answer.json["access_token"]?.string else { throw AuditError.refused(answer) }
        client.token = token
    }

    private static func patiently(_ send: () async throws -> SparkAnswer) async throws -> SparkAnswer {
        var answer = try await send()
        for _ in 0..<patience {
            guard [429, 503].contains(answer.status), !answer.isRefusedMove,
                let seconds = answer.headers["retry-after"].flatMap({ Int($0) })
            else { break }
            try await Task.sleep(for: .seconds(seconds))
            answer = try await send()
        }
        return answer
    }
}

extension SparkAnswer {
    fileprivate var isRefusedMove: Bool { status == 429 && json["code"]?.string?.hasPrefix("profiles.location") == true }
}

extension AuditError {
    fileprivate static func refused(_ answer: SparkAnswer) -> AuditError {
        .refused(status: answer.status, code: answer.json["code"]?.string ?? "unknown")
    }
}
