import CryptoExtras
import Foundation
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Synchronization

/// Firebase Cloud Messaging, HTTP v1, with Google's token endpoint, after Google's documents ("projects.messages", "FcmError",
/// "Using OAuth 2.0 for server to server applications"). Says INVALID_ARGUMENT to every member that the reference does not have.
final class FakeFCM: RunningServer, Sendable {
    static let project = "spark-test"
    static let email = "push@spark-test.iam.gserviceaccount.com"
    static let keyID = "0123456789abcdef"

    private struct State {
        var taken: [TakenPush] = []
        var refusals: [String] = []
        var requests = 0
        var grants: [String: Timestamp] = [:]
        var grantCount = 0
    }

    /// Made once, because it takes long.
    private static let keyOfAll = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    let server: FakeServer
    private let core: Core
    private let key: _RSA.Signing.PrivateKey
    var url: String { server.url }
    var accepted: [TakenPush] { core.state.withLock { $0.taken } }
    var refusals: [String] { core.state.withLock { $0.refusals } }
    /// How often an access token was issued.
    var grants: Int { core.state.withLock { $0.grantCount } }

    static func start(clock: any WallClock, script: @escaping FakeScript = { _, _ in nil }) async throws -> FakeFCM {
        let key = try keyOfAll.get()
        let core = Core(key: key.publicKey, clock: clock, script: script)
        let server = try await FakeServer.start(.init(answer: { core.answer($0) }))
        return FakeFCM(server: server, core: core, key: key)
    }

    private init(server: FakeServer, core: Core, key: _RSA.Signing.PrivateKey) {
        self.server = server
        self.core = core
        self.key = key
    }

    func stop() async { await server.stop() }

    /// Refuses all access tokens issued so far.
    func withdrawGrants() { core.state.withLock { $0.grants = [:] } }

    /// The service account's file, whose tokens come from here.
    func credentialsFile(in directory: URL) throws -> String {
        let json: JSONValue = [
            "type": "service_account", "project_id": .string(Self.project), "private_key_id": .string(Self.keyID),
            "private_key": .string(key.pkcs8PEMRepresentation), "client_email": .string(Self.email),
            "token_uri": .string("\(url)/token"),
        ]
        let file = directory.appending(path: "fcm.json")
        try Data(JSONWriter.bytes(of: json)).write(to: file)
        return file.path
    }

    private final class Core: Sendable {
        let state = Mutex(State())
        private let key: _RSA.Signing.PublicKey
        private let clock: any WallClock
        private let script: FakeScript

        init(key: _RSA.Signing.PublicKey, clock: any WallClock, script: @escaping FakeScript) {
            self.key = key
            self.clock = clock
            self.script = script
        }

        func answer(_ request: FakeRequest) -> FakeReply {
            if request.path == "/token" { return grant(request) }
            if let fault = fault(of: request) {
                state.withLock { $0.refusals.append(fault.status) }
                return fault.reply
            }
            let number = state.withLock { state in
                defer { state.requests += 1 }
                return state.requests
            }
            if let reply = script(number, request) { return reply }
            let message = (try? JSONParser.parse(request.body))?["message"] ?? .null
            state.withLock { state in
                state.taken.append(
                    TakenPush(
                        id: "\(state.taken.count)", collapseID: message["android"]?["collapse_key"]?.string ?? "",
                        token: message["token"]?.string ?? "", headers: request.headers, payload: message,
                        connection: request.connection.id))
            }
            return .answer(200, body: "{\"name\":\"projects/\(FakeFCM.project)/messages/\(number)\"}")
        }

        /// RFC 7523, as Google reads it.
        private func grant(_ request: FakeRequest) -> FakeReply {
            let refusal = FakeReply.answer(400, body: "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT\"}")
            guard request.method == "POST", request.headers.first(name: "content-type") == "application/x-www-form-urlencoded"
            else { return .answer(400, body: "{\"error\":\"invalid_request\"}") }
            var form: [String: String] = [:]
            for pair in request.text.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { form[String(parts[0])] = String(parts[1]).removingPercentEncoding }
            }
            guard form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer", let text = form["assertion"],
                let token = FakeToken(text), token.isSigned(by: key), token.claims["iss"]?.string == FakeFCM.email,
                token.header["kid"]?.string == FakeFCM.keyID,
                token.claims["scope"]?.string == "https://www.googleapis.com/auth/firebase.messaging",
                token.claims["aud"]?.string == "https://oauth2.googleapis.com/token",
                let issued = token.claims["iat"]?.integer, let expires = token.claims["exp"]?.integer
            else { return refusal }
            let now = clock.now().milliseconds / 1_000
            guard expires > now, expires - issued <= 3_600, abs(issued - now) <= 300 else { return refusal }
            let access = "ya29.\(UUID().uuidString)"
            state.withLock { state in
                state.grants[access] = Timestamp(milliseconds: (now + 3_599) * 1_000)
                state.grantCount += 1
            }
            return .answer(200, body: "{\"access_token\":\"\(access)\",\"expires_in\":3599,\"token_type\":\"Bearer\"}")
        }

        private func fault(of request: FakeRequest) -> FCMFault? {
            guard request.method == "POST", request.path == "/v1/projects/\(FakeFCM.project)/messages:send" else {
                return FCMFault(404, "NOT_FOUND")
            }
            let access = request.headers.first(name: "authorization")?.dropFirst("Bearer ".count) ?? ""
            let isGranted = state.withLock { ($0.grants[String(access)] ?? Timestamp(milliseconds: 0)) > clock.now() }
            guard isGranted else { return FCMFault(401, "UNAUTHENTICATED") }
            guard request.headers.first(name: "content-type")?.hasPrefix("application/json") == true,
                let json = try? JSONParser.parse(request.body)
            else { return FCMFault(400, "INVALID_ARGUMENT", code: "INVALID_ARGUMENT") }
            return FCMRules.isValid(json) ? nil : FCMFault(400, "INVALID_ARGUMENT", code: "INVALID_ARGUMENT")
        }
    }
}

/// An error as Google words it.
struct FCMFault {
    let number: Int
    let status: String
    let code: String?
    let field: String?

    init(_ number: Int, _ status: String, code: String? = nil, field: String? = nil) {
        self.number = number
        self.status = status
        self.code = code
        self.field = field
    }

    var reply: FakeReply {
        var details: [JSONValue] = []
        if let code {
            details.append(["@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": .string(code)])
        }
        if let field {
            details.append([
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [["field": .string(field), "description": "Invalid registration"]],
            ])
        }
        let error: JSONValue = [
            "error": [
                "code": .integer(Int64(number)), "message": "refused", "status": .string(status), "details": .array(details),
            ]
        ]
        return .answer(number, headers: ["content-type": "application/json"], body: JSONWriter.string(of: error))
    }
}

/// The reference's members and formats that a server like ours uses.
enum FCMRules {
    private static let members: [String: Set<String>] = [
        "": ["message", "validate_only"],
        "message": ["name", "data", "notification", "android", "webpush", "apns", "fcm_options", "token", "topic", "condition"],
        "notification": ["title", "body", "image"],
        "android": [
            "collapse_key", "priority", "ttl", "restricted_package_name", "data", "notification", "fcm_options", "direct_boot_ok",
        ],
        "android.notification": [
            "title", "body", "icon", "color", "sound", "tag", "click_action", "body_loc_key", "body_loc_args", "title_loc_key",
            "title_loc_args", "channel_id", "ticker", "sticky", "event_time", "local_only", "notification_priority",
            "default_sound", "default_vibrate_timings", "default_light_settings", "vibrate_timings", "visibility",
            "notification_count", "light_settings", "image", "proxy",
        ],
        "apns": ["headers", "payload", "fcm_options", "live_activity_token"],
    ]

    static func isValid(_ json: JSONValue) -> Bool {
        guard has(json, ""), let message = json["message"], has(message, "message"), let token = message["token"]?.string,
            !token.isEmpty, has(message["notification"], "notification"), has(message["android"], "android"),
            has(message["android"]?["notification"], "android.notification"), has(message["apns"], "apns"),
            isValidData(message["data"]), isValidAndroid(message["android"]), isValidHeaders(message["apns"]?["headers"])
        else { return false }
        let size = [message["notification"], message["data"]].compactMap { $0 }.map { JSONWriter.bytes(of: $0).count }.reduce(
            0, +)
        return size <= 4_096
    }

    private static func has(_ value: JSONValue?, _ name: String) -> Bool {
        guard let value else { return true }
        guard case .object(let found) = value, let known = members[name] else { return false }
        return found.allSatisfy { known.contains($0.key) }
    }

    /// Strings only, and no key that the transport keeps to itself.
    private static func isValidData(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        guard case .object(let found) = value else { return false }
        return found.allSatisfy { member in
            member.value.string != nil && !["from", "message_type"].contains(member.key) && !member.key.hasPrefix("google")
                && !member.key.hasPrefix("gcm")
        }
    }

    private static func isValidHeaders(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        guard case .object(let found) = value else { return false }
        return found.allSatisfy { $0.value.string != nil }
    }

    private static func isValidAndroid(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        if let priority = value["priority"], !["NORMAL", "HIGH"].contains(priority.string ?? "") { return false }
        if let ttl = value["ttl"] {
            guard let text = ttl.string, text.hasSuffix("s"), let seconds = Double(text.dropLast()), seconds >= 0,
                seconds <= 2_419_200
            else { return false }
        }
        return true
    }
}
