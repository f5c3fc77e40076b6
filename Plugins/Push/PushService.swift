import SparkCore
import SparkKit

/// The rules for what users configure: devices and notification settings.
struct PushService: Sendable {
    let store: any PushStore
    let providers: PushProviderSettings
    let defaultLanguage: PushLanguage
    let clock: any WallClock

    func devices(of user: UserID) async throws -> [Device] { try await store.devices(of: user) }

    /// - Throws: `InvalidInput` for a token that its provider cannot have issued.
    func register(
        _ registration: DeviceRegistration, as name: String, for principal: Principal, acceptLanguage: String?
    ) async throws -> Device {
        let target = registration.target(registeredAt: clock.now())
        if let fault = providers.fault(of: target) {
            throw InvalidInput.refused("token", "format", "It cannot be registered: \(fault).")
        }
        let language = registration.language ?? acceptLanguage.flatMap { PushLanguage(acceptLanguage: $0) } ?? defaultLanguage
        let device = Device(
            id: 0, user: principal.user, session: principal.session, name: name, target: target, language: language)
        try await store.register(device)
        return device
    }

    func removeDevice(_ name: String, of user: UserID) async throws { try await store.removeDevice(name, of: user) }

    func settings(of user: UserID) async throws -> NotificationSettings { try await store.settings(of: user) }

    func set(_ settings: NotificationSettings, for user: UserID) async throws { try await store.set(settings, for: user) }

    func mute(_ conversation: ConversationID, for user: UserID, until: Timestamp?) async throws {
        try await store.mute(conversation, for: user, until: until)
    }

    func unmute(_ conversation: ConversationID, for user: UserID) async throws {
        try await store.unmute(conversation, for: user)
    }
}
