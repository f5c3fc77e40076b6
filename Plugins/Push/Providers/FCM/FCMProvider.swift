import NIOHTTP1
import SparkCore
import SparkKit
import Synchronization

/// Firebase Cloud Messaging, the HTTP v1 API.
final class FCMProvider: PushProvider {
    private let url: String
    private let clock: any WallClock
    private let tokens: FCMTokens
    private let connections: ProviderConnections
    /// Whether a push was ever accepted. Only then "another sender" concerns the device and not the credentials.
    private let senderIsProven = Atomic(false)

    init(_ settings: PushProviderSettings, roots: TrustedRoots, clock: any WallClock) {
        let connections = ProviderConnections(roots: roots)
        self.url = settings.fcmURL.isEmpty ? "https://fcm.googleapis.com" : settings.fcmURL
        self.clock = clock
        self.connections = connections
        self.tokens = FCMTokens(file: settings.fcmCredentialsFile, connections: connections, clock: clock)
    }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        guard url.hasPrefix("https://") else { return .misconfigured(reason: "push.fcm_url: an https URL is needed") }
        guard let message = FCMMessage.bytes(of: notification, now: clock.now()) else {
            return .refused(reason: "message too large")
        }
        let budget = TimeBudget(deadline)
        do {
            return try await within(deadline) { try await self.attempt(message, budget) }
        } catch let fault as FCMAccessFault {
            return fault.outcome
        } catch {
            return ProviderTrouble(error).outcome
        }
    }

    func fault() async -> String? { await tokens.fault() }

    func shutDown() async { await connections.shutDown() }

    /// Replaces an access token once if FCM no longer accepts it.
    private func attempt(_ message: [UInt8], _ budget: TimeBudget) async throws -> PushOutcome {
        let access = try await tokens.current(within: budget.remaining)
        let verdict = try await post(message, access, budget)
        guard verdict.isUnauthenticated else { return verdict.outcome }
        let other = try await tokens.renewed(after: access, within: budget.remaining)
        return try await post(message, other, budget).outcome
    }

    private func post(_ message: [UInt8], _ access: FCMAccess, _ budget: TimeBudget) async throws -> FCMVerdict {
        let request = ProviderRequest(
            url: "\(url)/v1/projects/\(access.project)/messages:send",
            headers: ["authorization": "Bearer \(access.token)", "content-type": "application/json"], body: message)
        let answer = try await connections.exchange(request, within: budget.remaining)
        if answer.status == 200 { senderIsProven.store(true, ordering: .relaxed) }
        return FCMVerdict(answer, now: clock.now(), senderIsProven: senderIsProven.load(ordering: .relaxed))
    }
}
