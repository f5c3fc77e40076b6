import SparkCore
import SparkKit

/// The operators' actions on Push.
struct PushOperations: PushOperating {
    private static let deadline = Duration.seconds(10)

    let store: any PushStore
    let providers: PushProviderTable
    let unread: any UnreadCounting
    let clock: any WallClock
    let random: any RandomSource
    let fixture: FixtureHooks?

    func test(_ user: UserID, device: String?) async throws -> [PushTrial] {
        let badge = try await unread.unreadTotal(of: user)
        var trials: [PushTrial] = []
        for target in try await store.devices(of: user) where device == nil || target.name == device {
            let notification = PushNotification(
                id: PushUUID.next(random), target: target.target, title: "Spark", body: Phrases.of(target.language).test,
                badge: badge, collapseID: "test", thread: "test", priority: .high, isQuiet: false,
                expiresAt: clock.now() + .hours(1), data: [(name: "kind", value: "test")])
            let sender = PushSender(provider: providers[target.target.service], clock: clock, fixture: fixture)
            let outcome = await sender.send(notification, to: user, deadline: Self.deadline)
            trials.append(
                PushTrial(
                    device: target.name, provider: target.target.service.wire, isAccepted: outcome == .accepted,
                    reason: outcome.reason))
        }
        return trials
    }

    func providerFaults() async -> [(provider: String, fault: String?)] {
        var faults: [(provider: String, fault: String?)] = []
        for service in PushPlatform.allCases { faults.append((service.wire, await providers.fault(of: service))) }
        return faults
    }

    func outbox(limit: Int) async throws -> [UInt8] {
        JSONWriter.bytes(of: try await store.overview(at: clock.now(), limit: limit))
    }

    func shutDown() async { await providers.shutDown() }
}
