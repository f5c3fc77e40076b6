import SparkCore
import SparkKit

/// Hands notifications to a provider. In a server that a test steers, it fails on request and notes what the provider accepted.
struct PushSender: Sendable {
    let provider: any PushProvider
    let clock: any WallClock
    let fixture: FixtureHooks?

    /// Makes one attempt, as `PushProvider.send`.
    func send(_ notification: PushNotification, to user: UserID, deadline: Duration) async -> PushOutcome {
        guard let fixture else { return await provider.send(notification, deadline: deadline) }
        let outcome: PushOutcome
        if let fault = Self.fault(of: notification, to: user, fixture.faults) {
            outcome = fault
        } else {
            outcome = await provider.send(notification, deadline: deadline)
        }
        if outcome == .accepted {
            fixture.outbox.append(.push(to: user, at: clock.now(), Self.content(of: notification)))
        }
        return outcome
    }

    /// What a test wants to go wrong with a notification.
    private static func fault(of notification: PushNotification, to user: UserID, _ faults: FaultBoard) -> PushOutcome? {
        let kind = notification.data.first { $0.name == "kind" }?.value
        func matches(_ match: FaultMatch) -> Bool {
            (match.user ?? user) == user && match.provider.map { $0 == notification.target.service.wire } ?? true
                && match.kind.map { $0 == kind } ?? true
        }
        if faults.use(.pushThrottle, where: matches) != nil { return .later(reason: "too_many_requests", after: nil) }
        return faults.use(.pushFail, where: matches) == nil ? nil : .later(reason: "unreachable", after: nil)
    }

    /// The notification as the outbox of a fixture shows it.
    private static func content(of notification: PushNotification) -> JSONValue {
        let record = (try? JSONParser.parse(Array(PushComposer.record(of: notification).utf8))) ?? .null
        guard case .object(let members) = record else { return record }
        return .object(
            [
                JSONMember("id", .string(notification.id)), JSONMember("provider", .string(notification.target.service.wire)),
                JSONMember("token", .string(notification.target.token)),
            ] + members)
    }
}
