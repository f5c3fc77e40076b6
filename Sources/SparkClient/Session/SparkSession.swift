public import AsyncHTTPClient
import NIOCore
public import NIOSSL
import SparkCore
import Synchronization

/// One login at one server, with a method for each route. Tasks may share it.
///
/// A call that finds its access token ended exchanges the refresh token, once for all calls that wait, and is repeated. A request
/// is repeated when the server asks for it, or when the connection broke and the route honours idempotency keys.
public final class SparkSession: SparkRoutes {
    /// The tokens of a session, to be kept over restarts of the app.
    public struct Tokens: Hashable, Sendable {
        /// Sent with every request.
        public let access: String
        /// Exchanged for new tokens, once; nil if the session cannot be renewed.
        public let refresh: String?
        /// The person's identifier; nil if it is not known yet.
        public let userID: String?

        /// Creates tokens.
        public init(access: String, refresh: String?, userID: String? = nil) {
            (self.access, self.refresh, self.userID) = (access, refresh, userID)
        }
    }

    /// How often and how long requests are repeated.
    public struct Patience: Sendable {
        /// How often a request is sent at most.
        public var attempts = 4
        /// A longer Retry-After is not waited for; the call throws the problem.
        public var longestWait = Duration.seconds(10)
        /// The longest time for one answer.
        public var timeout = Duration.seconds(30)

        /// Four attempts, ten seconds, thirty seconds.
        public init() {}
    }

    private struct State {
        var tokens: Tokens?
        var accessEnds: ContinuousClock.Instant?
        var renewal: Task<Bool, any Error>?
    }

    /// Routes whose answers hold the tokens of a session. They are called without a token.
    private static let grants: Set<String> = ["/api/v1/auth/register", "/api/v1/auth/login", refreshPath]
    private static let refreshPath = "/api/v1/auth/refresh"
    private static let logoutPath = "/api/v1/auth/logout"

    /// The server's base URL.
    public let url: String
    let tls: TLSConfiguration?
    private let patience: Patience
    private let http: HTTPClient
    private let onTokens: @Sendable (Tokens?) -> Void
    private let state: Mutex<State>

    /// Creates a session. It is signed in with tokens of an earlier one, or by `postAuthRegister` or `postAuthLogin`.
    /// - Parameters:
    ///   - url: `http://host:port` or `https://host`, without a path.
    ///   - tokens: Of an earlier session.
    ///   - patience: How often and how long requests are repeated.
    ///   - http: May be shared. Its owner shuts it down.
    ///   - tls: What streams trust where the URL is https; nil for the system's roots. Requests trust what `http` trusts.
    ///   - onTokens: Gets the tokens whenever they change, to keep them; nil when the session has ended.
    public init(
        url: String, tokens: Tokens? = nil, patience: Patience = Patience(), http: HTTPClient = .shared,
        tls: TLSConfiguration? = nil, onTokens: @escaping @Sendable (Tokens?) -> Void = { _ in }
    ) {
        self.url = String(url.reversed().drop { $0 == "/" }.reversed())
        self.patience = patience
        self.http = http
        self.tls = tls
        self.onTokens = onTokens
        self.state = Mutex(State(tokens: tokens))
    }

    /// The tokens of the session; nil if there is none.
    public var tokens: Tokens? { state.withLock { $0.tokens } }

    /// When the access token ends; nil if that is unknown.
    var accessEnds: ContinuousClock.Instant? { state.withLock { $0.accessEnds } }

    /// The identifier of the person who is signed in.
    /// - Throws: `SparkProblem` if nobody is.
    public var userID: String {
        get async throws {
            if let known = tokens?.userID { return known }
            let id = try await getMe().id
            state.withLock { state in
                guard let tokens = state.tokens else { return }
                state.tokens = Tokens(access: tokens.access, refresh: tokens.refresh, userID: id)
            }
            return id
        }
    }

    /// The requests without types, with the present access token.
    public var client: SparkClient { SparkClient(url: url, token: tokens?.access, http: http, timeout: patience.timeout) }

    // MARK: Requests

    /// Sends a request and reads its answer.
    public func call<Answer: SparkValue>(_ request: SparkRequest) async throws -> Answer {
        try Answer(json: try await exchange(request).json)
    }

    /// Sends a request whose answer has no body.
    public func call(_ request: SparkRequest) async throws { _ = try await exchange(request) }

    /// Sends a request that must succeed, with the session's token, which is renewed if it has ended.
    private func exchange(_ request: SparkRequest) async throws -> SparkAnswer {
        let isGrant = Self.grants.contains(request.path)
        var hasRenewed = false
        while true {
            let used = isGrant ? nil : tokens?.access
            let answer = try await send(request, token: used)
            guard (200..<300).contains(answer.status) else {
                let problem = SparkProblem(answer)
                guard problem.code == "auth.unauthenticated", let used, !hasRenewed, try await renew(used) else { throw problem }
                hasRenewed = true
                continue
            }
            if isGrant {
                try take(answer.json)
            } else if request.path == Self.logoutPath {
                set(nil, ends: nil)
            }
            return answer
        }
    }

    /// Sends a request until there is an answer that repeating it would not better.
    private func send(_ request: SparkRequest, token: String?) async throws -> SparkAnswer {
        let client = SparkClient(url: url, token: token, http: http, timeout: patience.timeout)
        let body = request.body.map { JSONWriter.bytes(of: $0) }
        var headers = [("Accept", "application/json")]
        if let key = request.idempotencyKey { headers.append(("Idempotency-Key", key)) }
        var failures = 0
        while true {
            let wait: Duration
            do {
                let answer = try await client.send(
                    request.method, request.path + request.query, body: body, headers: headers)
                failures += 1
                guard Self.isWorthRepeating(answer.status, request), failures < patience.attempts else { return answer }
                wait = SparkProblem(answer).retryAfter ?? Self.pause(failures)
                guard wait <= patience.longestWait else { return answer }
            } catch {
                try Task.checkCancellation()
                failures += 1
                guard request.isRepeatable, failures < patience.attempts else {
                    throw SparkUnreachable(request: "\(request.method) \(request.path)", cause: error)
                }
                wait = Self.pause(failures)
            }
            try await Task.sleep(for: wait)
        }
    }

    /// A request with 429 or 503 had no effect. 502 and 504 come from a proxy that lost the server.
    private static func isWorthRepeating(_ status: Int, _ request: SparkRequest) -> Bool {
        status == 429 || status == 503 || request.isRepeatable && (status == 502 || status == 504)
    }

    /// The time before the next attempt: doubled each time, at random so that clients do not come back together.
    static func pause(_ failures: Int) -> Duration {
        .seconds(min(8, 0.1 * Double(1 << min(failures, 10))) * Double.random(in: 0.5...1))
    }

    // MARK: Tokens

    /// Exchanges the refresh token, unless another call did or does.
    /// - Parameter used: The access token that has ended.
    /// - Returns: Whether there is a session.
    func renew(_ used: String) async throws -> Bool {
        let renewal = state.withLock { state -> Task<Bool, any Error>? in
            guard let tokens = state.tokens, tokens.access == used, let refresh = tokens.refresh else { return nil }
            if let running = state.renewal { return running }
            let task = Task { try await self.exchange(refresh: refresh) }
            state.renewal = task
            return task
        }
        // A caller that is cancelled leaves the exchange to the others, since the token is used up.
        if let renewal { return try await renewal.value }
        return state.withLock { $0.tokens != nil && $0.tokens?.access != used }
    }

    private func exchange(refresh: String) async throws -> Bool {
        defer { state.withLock { $0.renewal = nil } }
        do {
            // The key lets a repetition get the same tokens when the answer was lost on its way.
            _ = try await exchange(
                SparkRequest("POST", Self.refreshPath, body: ["refresh_token": .string(refresh)], takesKey: true))
            return true
        } catch let problem as SparkProblem where problem.status == 401 {
            set(nil, ends: nil)
            return false
        }
    }

    private func take(_ grant: JSONValue) throws {
        let members = try MemberList(grant)
        let access: String = try members.required("access_token")
        let refresh: String = try members.required("refresh_token")
        let lifetime: Int = try members.required("expires_in")
        let user = grant["user"]?["id"]?.string ?? tokens?.userID
        set(Tokens(access: access, refresh: refresh, userID: user), ends: .now + .seconds(lifetime))
    }

    private func set(_ tokens: Tokens?, ends: ContinuousClock.Instant?) {
        state.withLock { state in
            state.tokens = tokens
            state.accessEnds = ends
        }
        onTokens(tokens)
    }
}
