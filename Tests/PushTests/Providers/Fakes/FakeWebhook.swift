import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Synchronization

/// An operator's own sender, which verifies requests after the Standard Webhooks specification.
final class FakeWebhook: RunningServer, Sendable {
    static let secret = "whsec_c3BhcmstdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OQ=="

    private struct State {
        var taken: [TakenPush] = []
        var refusals: [String] = []
        var requests = 0
    }

    let server: FakeServer
    private let core: Core
    var url: String { server.url }
    var accepted: [TakenPush] { core.state.withLock { $0.taken } }
    var refusals: [String] { core.state.withLock { $0.refusals } }

    static func start(clock: any WallClock, script: @escaping FakeScript = { _, _ in nil }) async throws -> FakeWebhook {
        let core = Core(clock: clock, script: script)
        let server = try await FakeServer.start(protocols: ["http/1.1"], .init(answer: { core.answer($0) }))
        return FakeWebhook(server: server, core: core)
    }

    private init(server: FakeServer, core: Core) {
        self.server = server
        self.core = core
    }

    func stop() async { await server.stop() }

    private final class Core: Sendable {
        let state = Mutex(State())
        private let clock: any WallClock
        private let script: FakeScript

        init(clock: any WallClock, script: @escaping FakeScript) {
            self.clock = clock
            self.script = script
        }

        func answer(_ request: FakeRequest) -> FakeReply {
            guard let id = verified(request), let payload = try? JSONParser.parse(request.body) else {
                state.withLock { $0.refusals.append("signature") }
                return .answer(401)
            }
            let number = state.withLock { state in
                defer { state.requests += 1 }
                return state.requests
            }
            if let reply = script(number, request) { return reply }
            let data = payload["data"] ?? .null
            state.withLock { state in
                state.taken.append(
                    TakenPush(
                        id: id, collapseID: data["collapse_id"]?.string ?? "", token: data["token"]?.string ?? "",
                        headers: request.headers, payload: data, connection: request.connection.id))
            }
            return .answer(204)
        }

        /// The message's id when timestamp and signature are in order.
        private func verified(_ request: FakeRequest) -> String? {
            guard request.method == "POST", let id = request.headers.first(name: "webhook-id"),
                let time = request.headers.first(name: "webhook-timestamp"), let seconds = Int64(time),
                abs(clock.now().milliseconds / 1_000 - seconds) <= 300,
                let key = Data(base64Encoded: String(FakeWebhook.secret.dropFirst(6)))
            else { return nil }
            let code = HMAC<SHA256>.authenticationCode(
                for: Array("\(id).\(time).".utf8) + request.body, using: SymmetricKey(data: key))
            let expected = "v1,\(Data(code).base64EncodedString())"
            let given = request.headers.first(name: "webhook-signature")?.split(separator: " ") ?? []
            return given.contains { $0 == expected } ? id : nil
        }
    }
}
