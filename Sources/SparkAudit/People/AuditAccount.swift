import SparkClient
import SparkCore
import Synchronization

/// Sends the audit's requests: counts them, and waits when the server asks for it.
final class RequestLedger: Sendable {
    /// How long one request is repeated while the server asks to wait.
    private static let patience = Duration.seconds(600)
    /// The longest wait that the audit accepts, in seconds. A longer one belongs to a daily limit.
    private static let longestWait = 120
    /// How often a wait is reported while waiting continues.
    private static let quietTime = Duration.seconds(5)

    private struct State {
        var toldAt: ContinuousClock.Instant?
        var isPaceTold = false
    }

    /// Registrations per minute below which an audit takes minutes.
    private static let slowPace = 1_000

    private let count = Atomic<Int>(0)
    private let state = Mutex(State())
    private let notice: @Sendable (String) -> Void

    /// - Parameter notice: called with a sentence about each wait.
    init(notice: @escaping @Sendable (String) -> Void) { self.notice = notice }

    var value: Int { count.load(ordering: .relaxed) }

    /// Repeats a request while the server asks to wait, each time after the requested time.
    /// - Throws: `AuditError.limited` when that time is too long.
    func patiently(_ send: () async throws -> SparkAnswer) async throws -> SparkAnswer {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let answer = try await once(send)
            guard [429, 503].contains(answer.status), !answer.isRefusedMove,
                let seconds = answer.headers["retry-after"].flatMap({ Int($0) })
            else { return answer }
            guard .now < deadline else { return answer }
            let code = answer.json["code"]?.string ?? "unknown"
            guard seconds <= Self.longestWait else { throw AuditError.limited(code: code, seconds: seconds) }
            tell("waiting \(seconds == 1 ? "1 second" : "\(seconds) seconds"), as the server asks (\(answer.status) \(code))")
            // Even a wait of zero becomes a second: an immediate retry would be refused again because of the others that wait.
            try await Task.sleep(for: .seconds(max(1, seconds)))
        }
    }

    /// Reports once that the server limits registrations strongly, and how to change it.
    /// - Parameter policy: the `RateLimit-Policy` header of a registration.
    func tellPace(_ policy: String?) {
        let quota = policy?.split(separator: ";").first { $0.hasPrefix("q=") }.flatMap { Int($0.dropFirst(2)) }
        guard let quota, quota < Self.slowPace else { return }
        let isNews = state.withLock { state in
            defer { state.isPaceTold = true }
            return !state.isPaceTold
        }
        guard isNews else { return }
        notice(
            "the server takes \(quota) registrations a minute, so this takes a while; without limits it is faster: "
                + AuditError.withoutLimits)
    }

    private func once(_ send: () async throws -> SparkAnswer) async throws -> SparkAnswer {
        count.add(1, ordering: .relaxed)
        return try await send()
    }

    private func tell(_ text: String) {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.toldAt, last.duration(to: now) < Self.quietTime { return false }
            state.toldAt = now
            return true
        }
        if isDue { notice(text) }
    }
}

/// The profile of an audit account: about a hundred and nine years old, interested only in the same age, so that audit accounts
/// and real people never see each other in decks.
struct AuditRole: Sendable {
    let name: String
    let gender: Gender
    let interestedIn: Gender

    static let victim = AuditRole(name: "Victim", gender: .woman, interestedIn: .man)
    static let spy = AuditRole(name: "Spy", gender: .man, interestedIn: .woman)
}

/// A synthetic account at the audited server, made through the public API.
actor AuditAccount {
    nonisolated let id: String
    private static let password = "audit of places, not a person"

    private let email: String
    private var client: SparkClient
    private let requests: RequestLedger

    private init(id: String, email: String, client: SparkClient, requests: RequestLedger) {
        self.id = id
        self.email = email
        self.client = client
        self.requests = requests
    }

    /// Finds the account of an address, after a registration whose answer was lost. Nil if there is none.
    static func find(email: String, at client: SparkClient, requests: RequestLedger) async throws -> AuditAccount? {
        let answer = try await requests.patiently {
            try await client.send(
                "POST", "/api/v1/auth/login", json: ["email": .string(email), "password": .string(password)] as JSONValue)
        }
        if answer.status == 401 { return nil }
        guard let token = answer.json["access_token"]?.string, let id = answer.json["user"]?["id"]?.string else {
            throw AuditError.refused(answer)
        }
        return AuditAccount(id: id, email: email, client: client.authenticated(with: token), requests: requests)
    }

    static func register(
        _ role: AuditRole, email: String, at client: SparkClient, requests: RequestLedger
    ) async throws -> AuditAccount {
        let person: JSONValue = [
            "email": .string(email), "password": .string(password), "name": .string(role.name), "birth_date": "1917-06-15",
            "gender": .string(role.gender.wire), "interested_in": [.string(role.interestedIn.wire)],
        ]
        let answer = try await requests.patiently {
            // A task of its own, which is not cancelled: the server would make the account all the same, and perhaps only after the
            // audit looked for it to delete it.
            try await Task { try await client.send("POST", "/api/v1/auth/register", json: person) }.value
        }
        requests.tellPace(answer.headers["ratelimit-policy"])
        guard answer.status == 201, let id = answer.json["user"]?["id"]?.string,
            let token = answer.json["access_token"]?.string
        else { throw AuditError.refused(answer) }
        return AuditAccount(id: id, email: email, client: client.authenticated(with: token), requests: requests)
    }

    /// For connections other than single requests.
    var authenticatedClient: SparkClient { client }

    /// Sends one request. Logs in again when the token has expired, repeats while the server asks to wait, returns any final
    /// answer.
    func send(_ method: String, _ path: String, _ json: JSONValue? = nil) async throws -> SparkAnswer {
        let answer = try await sendPatiently(method, path, json)
        guard answer.status == 401 else { return answer }
        try await logIn()
        return try await sendPatiently(method, path, json)
    }

    /// - Throws: `AuditError.refused` for a status other than 2xx.
    func call(_ method: String, _ path: String, _ json: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await send(method, path, json)
        guard (200..<300).contains(answer.status) else { throw AuditError.refused(answer) }
        return answer.json
    }

    /// Reports a place.
    /// - Returns: the person's place according to the server; nil when the server rejects the move as too fast.
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

    /// Sets the distance limit in both directions.
    func look(kilometres: Int) async throws {
        _ = try await call(
            "PUT", "/api/v1/me/preferences",
            ["min_age": 100, "max_age": 120, "max_distance_km": .integer(Int64(kilometres))])
    }

    /// Deletes the account, with the password, since the login may no longer count as recent.
    /// - Throws: `AuditError.refused` when the account still exists.
    func leave() async throws {
        let answer: SparkAnswer
        do {
            answer = try await send("DELETE", "/api/v1/me", ["password": .string(Self.password)])
        } catch AuditError.refused(status: 403, code: "auth.suspended") {
            // Only on the audit's own server, which is discarded.
            return
        }
        guard (200..<300).contains(answer.status) || [404, 410].contains(answer.status) else { throw AuditError.refused(answer) }
    }

    private func sendPatiently(_ method: String, _ path: String, _ json: JSONValue?) async throws -> SparkAnswer {
        try await requests.patiently { [client] in try await client.send(method, path, json: json) }
    }

    private func logIn() async throws {
        let answer = try await requests.patiently { [client, email] in
            try await client.send(
                "POST", "/api/v1/auth/login",
                json: ["email": .string(email), "password": .string(Self.password)] as JSONValue)
        }
        guard let token = answer.json["access_token"]?.string else { throw AuditError.refused(answer) }
        client.token = token
    }
}

extension SparkAnswer {
    var isRefusedMove: Bool { status == 429 && json["code"]?.string?.hasPrefix("profiles.location") == true }
}

extension AuditError {
    fileprivate static func refused(_ answer: SparkAnswer) -> AuditError {
        .refused(status: answer.status, code: answer.json["code"]?.string ?? "unknown")
    }
}
