import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Synchronization

/// A push that a fake accepted.
struct TakenPush: Sendable {
    let id: String
    let collapseID: String
    let token: String
    let headers: HTTPHeaders
    let payload: JSONValue
    let connection: Int
}

/// Apple's push service after Apple's documents ("Sending notification requests to APNs", "Establishing a token-based connection",
/// "Handling notification responses"): one stream until a good token was shown, then a thousand; tokens of 20 to 60 minutes.
final class FakeAPNs: RunningServer, Sendable {
    static let keyID = "ABC123DEFG"
    static let teamID = "DEF123GHIJ"
    static let topic = "org.example.spark"

    private struct State {
        var taken: [TakenPush] = []
        var refusals: [String] = []
        var requests = 0
        var tokens: [String] = []
        var violations: [String] = []
        var lastTokenChange: Timestamp?
        var verified: [String: Int64] = [:]
    }

    let server: FakeServer
    private let core: Core
    var url: String { server.url }
    /// The pushes answered with 200, in order.
    var accepted: [TakenPush] { core.state.withLock { $0.taken } }
    /// The reasons of all refusals that were not the script's.
    var refusals: [String] { core.state.withLock { $0.refusals } }
    /// Faults for which Apple would close the connection.
    var violations: [String] { core.state.withLock { $0.violations } }
    /// The received provider tokens, each once, in order.
    var tokens: [String] { core.state.withLock { $0.tokens } }

    /// - Parameters:
    ///   - key: verifies the provider token; `keyFile(in:)` writes a private one.
    ///   - clock: Apple's current time.
    ///   - initialStreams: the first limit of streams of a connection; 1 as with Apple, more shows clients that rely on the limit.
    static func start(
        key: P256.Signing.PublicKey, clock: any WallClock, initialStreams: Int = 1,
        early: @escaping @Sendable (HTTPRequestHead) -> FakeReply? = { _ in nil },
        script: @escaping FakeScript = { _, _ in nil }
    ) async throws -> FakeAPNs {
        let core = Core(key: key, clock: clock, script: script)
        let server = try await FakeServer.start(
            protocols: ["h2"], initialStreams: initialStreams,
            .init(early: early, opened: { core.opened($0, streams: $1) }, answer: { core.answer($0) }))
        return FakeAPNs(server: server, core: core)
    }

    private init(server: FakeServer, core: Core) {
        self.server = server
        self.core = core
    }

    func stop() async { await server.stop() }

    private final class Core: Sendable {
        let state = Mutex(State())
        private let key: P256.Signing.PublicKey
        private let clock: any WallClock
        private let script: FakeScript

        init(key: P256.Signing.PublicKey, clock: any WallClock, script: @escaping FakeScript) {
            self.key = key
            self.clock = clock
            self.script = script
        }

        func opened(_ connection: FakeConnection, streams: Int) {
            guard streams > 1, !connection.isProven else { return }
            state.withLock { $0.violations.append("a second stream before a good token") }
        }

        func answer(_ request: FakeRequest) -> FakeReply {
            let id = request.headers.first(name: "apns-id") ?? UUID().uuidString.lowercased()
            if let fault = APNsRules.fault(of: request) ?? faultOfToken(request) {
                state.withLock { $0.refusals.append(fault.reason) }
                return .answer(fault.status, headers: ["apns-id": id], body: "{\"reason\":\"\(fault.reason)\"}")
            }
            request.connection.prove(streams: 1_000)
            let number = state.withLock { state in
                defer { state.requests += 1 }
                return state.requests
            }
            if let reply = script(number, request) { return reply }
            let push = TakenPush(
                id: id, collapseID: request.headers.first(name: "apns-collapse-id") ?? "",
                token: String(request.path.dropFirst(APNsRules.path.count)), headers: request.headers,
                payload: (try? JSONParser.parse(request.body)) ?? .null, connection: request.connection.id)
            state.withLock { $0.taken.append(push) }
            return .answer(200, headers: ["apns-id": id])
        }

        /// When each valid token was issued; each is verified once.
        private func issued(_ text: String) -> Int64? {
            if let known = state.withLock({ $0.verified[text] }) { return known }
            guard let token = FakeToken(text), token.isSigned(by: key), token.header["kid"]?.string == FakeAPNs.keyID,
                token.claims["iss"]?.string == FakeAPNs.teamID, let issued = token.claims["iat"]?.integer
            else { return nil }
            state.withLock { $0.verified[text] = issued }
            return issued
        }

        /// 403 for a bad token, 429 for tokens that change too often.
        private func faultOfToken(_ request: FakeRequest) -> APNsRules.Fault? {
            guard let value = request.headers.first(name: "authorization"), value.lowercased().hasPrefix("bearer ") else {
                return .init(403, "MissingProviderToken")
            }
            let text = String(value.dropFirst(7))
            guard let issued = issued(text) else { return .init(403, "InvalidProviderToken") }
            let now = clock.now()
            let age = now - Timestamp(milliseconds: issued * 1_000)
            if age > .minutes(60) { return .init(403, "ExpiredProviderToken") }
            if age < .seconds(-300) { return .init(403, "InvalidProviderToken") }
            return state.withLock { state in
                if state.tokens.contains(text) { return nil }
                if let last = state.lastTokenChange, now - last < .minutes(20) {
                    return .init(429, "TooManyProviderTokenUpdates")
                }
                state.lastTokenChange = now
                state.tokens.append(text)
                return nil
            }
        }
    }
}

/// Apple's requirements for a request besides the token.
enum APNsRules {
    static let path = "/3/device/"

    struct Fault {
        let status: Int
        let reason: String

        init(_ status: Int, _ reason: String) {
            self.status = status
            self.reason = reason
        }
    }

    private static let types = [
        "alert", "background", "location", "voip", "complication", "fileprovider", "mdm", "liveactivity", "pushtotalk",
        "controls",
        "widgets",
    ]

    static func fault(of request: FakeRequest) -> Fault? {
        guard request.method == "POST" else { return Fault(405, "MethodNotAllowed") }
        guard request.path.hasPrefix(path) else { return Fault(404, "BadPath") }
        let token = request.path.dropFirst(path.count)
        if token.isEmpty { return Fault(400, "MissingDeviceToken") }
        guard token.utf8.count >= 64, token.allSatisfy(\.isHexDigit) else { return Fault(400, "BadDeviceToken") }
        return faultOfHeaders(request.headers) ?? faultOfPayload(request)
    }

    private static func faultOfHeaders(_ headers: HTTPHeaders) -> Fault? {
        for name in ["apns-id", "apns-topic", "apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id"]
        where headers[name].count > 1 { return Fault(400, "DuplicateHeaders") }
        guard let topic = headers.first(name: "apns-topic") else { return Fault(400, "MissingTopic") }
        guard topic == FakeAPNs.topic else { return Fault(400, "TopicDisallowed") }
        guard let type = headers.first(name: "apns-push-type"), types.contains(type) else { return Fault(400, "InvalidPushType") }
        let priority = headers.first(name: "apns-priority") ?? "10"
        guard ["1", "5", "10"].contains(priority), type != "background" || priority == "5" else {
            return Fault(400, "BadPriority")
        }
        if let expiration = headers.first(name: "apns-expiration"), UInt32(expiration) == nil {
            return Fault(400, "BadExpirationDate")
        }
        if let id = headers.first(name: "apns-id"), UUID(uuidString: id) == nil || id != id.lowercased() {
            return Fault(400, "BadMessageId")
        }
        if let collapse = headers.first(name: "apns-collapse-id"), !(1...64).contains(collapse.utf8.count) {
            return Fault(400, "BadCollapseId")
        }
        return nil
    }

    private static func faultOfPayload(_ request: FakeRequest) -> Fault? {
        if request.body.isEmpty { return Fault(400, "PayloadEmpty") }
        if request.body.count > 4_096 { return Fault(413, "PayloadTooLarge") }
        guard let json = try? JSONParser.parse(request.body), let aps = json["aps"] else { return Fault(400, "PayloadEmpty") }
        let isBackground = request.headers.first(name: "apns-push-type") == "background"
        let isWhole = isBackground ? aps["content-available"]?.integer == 1 : aps["alert"] != nil
        return isWhole ? nil : Fault(400, "PayloadEmpty")
    }
}
