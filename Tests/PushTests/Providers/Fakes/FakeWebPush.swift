import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkKit
import SparkTestSupport
import Synchronization

/// A browser's subscription together with the browser's own side of it.
struct FakeSubscription: Sendable {
    let endpoint: String
    let receiver: P256.KeyAgreement.PrivateKey
    let secret: [UInt8]

    var publicKey: [UInt8] { Array(receiver.publicKey.x963Representation) }
}

/// A push service with browsers behind it, after RFC 8030 (the push), RFC 8292 (who sends) and RFC 8291 (what the browser can read).
final class FakeWebPush: RunningServer, Sendable {
    private struct State {
        var taken: [TakenPush] = []
        var refusals: [String] = []
        var lengths: Set<Int> = []
        var requests = 0
        var subscriptions: [String: FakeSubscription] = [:]
        var url = ""
    }

    let server: FakeServer
    private let core: Core
    var url: String { server.url }
    var accepted: [TakenPush] { core.state.withLock { $0.taken } }
    var refusals: [String] { core.state.withLock { $0.refusals } }
    /// The lengths of the received bodies.
    var lengths: Set<Int> { core.state.withLock { $0.lengths } }

    /// - Parameter serverKey: the key that browsers subscribed with; nil accepts every signer.
    static func start(
        clock: any WallClock, serverKey: String? = nil, early: @escaping @Sendable (HTTPRequestHead) -> FakeReply? = { _ in nil },
        script: @escaping FakeScript = { _, _ in nil }
    ) async throws -> FakeWebPush {
        let core = Core(clock: clock, serverKey: serverKey, script: script)
        let server = try await FakeServer.start(.init(early: early, answer: { core.answer($0) }))
        core.state.withLock { $0.url = server.url }
        return FakeWebPush(server: server, core: core)
    }

    private init(server: FakeServer, core: Core) {
        self.server = server
        self.core = core
    }

    func stop() async { await server.stop() }

    /// As a browser does it.
    func subscribe() -> FakeSubscription {
        let path = "/push/\(UUID().uuidString.lowercased())"
        let secret = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
        let subscription = FakeSubscription(
            endpoint: url + path, receiver: P256.KeyAgreement.PrivateKey(), secret: secret)
        core.state.withLock { $0.subscriptions[path] = subscription }
        return subscription
    }

    private final class Core: Sendable {
        let state = Mutex(State())
        private let clock: any WallClock
        private let serverKey: String?
        private let script: FakeScript

        init(clock: any WallClock, serverKey: String?, script: @escaping FakeScript) {
            self.clock = clock
            self.serverKey = serverKey
            self.script = script
        }

        func answer(_ request: FakeRequest) -> FakeReply {
            guard let subscription = state.withLock({ $0.subscriptions[request.path] }) else { return .answer(404) }
            state.withLock { _ = $0.lengths.insert(request.body.count) }
            if let fault = faultOfForm(request) ?? faultOfSender(request.headers) {
                state.withLock { $0.refusals.append(fault.words) }
                return .answer(fault.status, body: fault.words)
            }
            guard let text = WebPushReader.open(request.body, for: subscription), let payload = try? JSONParser.parse(text) else {
                state.withLock { $0.refusals.append("the browser cannot read it") }
                return .answer(400, body: "the browser cannot read it")
            }
            let number = state.withLock { state in
                defer { state.requests += 1 }
                return state.requests
            }
            if let reply = script(number, request) { return reply }
            state.withLock { state in
                state.taken.append(
                    TakenPush(
                        id: "\(number)", collapseID: request.headers.first(name: "topic") ?? "", token: subscription.endpoint,
                        headers: request.headers, payload: payload, connection: request.connection.id))
            }
            return .answer(201, headers: ["location": "/message/\(number)"])
        }

        private func faultOfForm(_ request: FakeRequest) -> (status: Int, words: String)? {
            let headers = request.headers
            guard request.method == "POST" else { return (405, "method") }
            guard headers["ttl"].count == 1, let life = headers.first(name: "ttl"), UInt32(life) != nil else {
                return (400, "ttl")
            }
            if let urgency = headers.first(name: "urgency"), !["very-low", "low", "normal", "high"].contains(urgency) {
                return (400, "urgency")
            }
            if let topic = headers.first(name: "topic") {
                guard (1...32).contains(topic.utf8.count),
                    topic.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
                else { return (400, "topic") }
            }
            guard headers.first(name: "content-encoding") == "aes128gcm" else { return (400, "content-encoding") }
            guard request.body.count <= 4_096 else { return (413, "size") }
            return nil
        }

        /// RFC 8292, section 2 to 4.2.
        private func faultOfSender(_ headers: HTTPHeaders) -> (status: Int, words: String)? {
            guard let value = headers.first(name: "authorization"), value.hasPrefix("vapid ") else { return (401, "no vapid") }
            var parts: [String: String] = [:]
            for part in value.dropFirst(6).split(separator: ",") {
                let pair = part.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1)
                if pair.count == 2 { parts[String(pair[0])] = String(pair[1]) }
            }
            guard let text = parts["t"], let keyText = parts["k"], let keyBytes = Base64URL.decode(keyText),
                let key = try? P256.Signing.PublicKey(x963Representation: keyBytes), let token = FakeToken(text),
                token.isSigned(by: key)
            else { return (403, "signature") }
            if let serverKey, serverKey != keyText { return (403, "another key than subscribed with") }
            guard token.claims["aud"]?.string == state.withLock({ $0.url }) else { return (403, "audience") }
            let now = clock.now().milliseconds / 1_000
            guard let expires = token.claims["exp"]?.integer, expires > now, expires <= now + 86_400 else {
                return (403, "expiry")
            }
            if let subject = token.claims["sub"]?.string, !subject.hasPrefix("mailto:"), !subject.hasPrefix("https:") {
                return (403, "subject")
            }
            return nil
        }
    }
}

/// The browser's side of RFC 8291, from HMAC up as section 3.4 spells it out, so that it shares no derivation with the sender.
enum WebPushReader {
    static func open(_ body: [UInt8], for subscription: FakeSubscription) -> [UInt8]? {
        guard body.count > 86 + 17, body[20] == 65 else { return nil }
        let (salt, senderPublic) = (Array(body[0..<16]), Array(body[21..<86]))
        let size = body[16..<20].reduce(0) { $0 << 8 | Int($1) }
        guard size >= 18, body.count - 86 <= size,
            let sender = try? P256.KeyAgreement.PublicKey(x963Representation: senderPublic),
            let shared = try? subscription.receiver.sharedSecretFromKeyAgreement(with: sender)
        else { return nil }
        let secret = shared.withUnsafeBytes { Array($0) }
        let info = Array("WebPush: info\0".utf8) + subscription.publicKey + senderPublic + [1]
        let input = hmac(hmac(subscription.secret, secret), info)
        let prk = hmac(salt, input)
        let key = hmac(prk, Array("Content-Encoding: aes128gcm\0".utf8) + [1]).prefix(16)
        let nonce = hmac(prk, Array("Content-Encoding: nonce\0".utf8) + [1]).prefix(12)
        guard let nonce = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: body[86..<(body.count - 16)], tag: body.suffix(16)),
            let plain = try? AES.GCM.open(box, using: SymmetricKey(data: key)),
            let delimiter = plain.lastIndex(where: { $0 != 0 }), plain[delimiter] == 2
        else { return nil }
        return Array(plain[..<delimiter])
    }

    private static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: data, using: SymmetricKey(data: key)))
    }
}
