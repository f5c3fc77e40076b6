import SparkCore
import SparkStorage

/// The push store in SQLite.
struct SQLitePushStore: PushStore {
    let storage: any Storage

    func devices(of user: UserID) async throws -> [Device] {
        try await storage.read { try DeviceRows.all(of: user, in: $0) }
    }

    func register(_ device: Device) async throws {
        try await storage.write { try DeviceRows.put(device, in: $0.session) }
    }

    func removeDevice(_ name: String, of user: UserID) async throws {
        try await storage.write { transaction in
            let id = try transaction.session.statement("SELECT id FROM push_devices WHERE user_id = ? AND name = ?")
                .row([.integer(user.rawValue), .text(name)]) { $0.integer(0) }
            guard let id else { throw PushError.unknownDevice }
            try DeviceRows.remove(id, in: transaction.session)
        }
    }

    func settings(of user: UserID) async throws -> NotificationSettings {
        try await storage.read { try SettingsRows.find(user, in: $0) }
    }

    func set(_ settings: NotificationSettings, for user: UserID) async throws {
        try await storage.write { try SettingsRows.put(settings, for: user, in: $0.session) }
    }

    func mute(_ conversation: ConversationID, for user: UserID, until: Timestamp?) async throws {
        try await storage.write { transaction in
            let isLive = try transaction.session.statement(
                """
                SELECT 1 FROM chat_conversations WHERE id = ?1 AND (user_a = ?2 OR user_b = ?2) AND ended_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM profiles_users WHERE id IN (user_a, user_b) AND closed <> 0)
                """
            ).row([.integer(conversation.rawValue), .integer(user.rawValue)]) { _ in true }
            guard isLive == true else { throw PushError.conversationGone }
            try SettingsRows.mute(conversation, for: user, until: until, in: transaction.session)
        }
    }

    func unmute(_ conversation: ConversationID, for user: UserID) async throws {
        try await storage.write { try SettingsRows.unmute(conversation, for: user, in: $0.session) }
    }

    // MARK: Deciding

    func dueBatches(at now: Timestamp, limit: Int) async throws -> [DueBatch] {
        try await storage.read { session in
            try BatchRows.due(at: now, limit: limit, in: session).map { batch in
                let settings = try SettingsRows.find(batch.user, in: session)
                let day = LocalTime(settings.timeZone).day(at: now)
                return DueBatch(
                    batch: batch, news: try NewsReader.news(of: batch, at: now, in: session), settings: settings,
                    hasDevice: try !DeviceRows.reachable(of: batch.user, in: session).isEmpty,
                    sentToday: try SettingsRows.sent(to: batch.user, on: day, in: session))
            }
        }
    }

    func carryOut(
        _ decided: [DecidedBatch], lifetime: Duration, uuid: @escaping @Sendable () -> String
    ) async throws -> CarriedOut {
        try await storage.write { transaction in
            let session = transaction.session
            var result = CarriedOut()
            for (index, entry) in decided.enumerated() {
                guard try BatchRows.find(entry.before.id, in: session) == entry.before else { continue }
                result.done.insert(index)
                switch entry.decision {
                case .cancel: try BatchRows.remove(entry.before.id, in: session)
                case .hold: try BatchRows.hold(entry.after, in: session)
                case .send:
                    try BatchRows.save(entry.after, in: session)
                    try SettingsRows.countSent(to: entry.after.user, on: entry.day, in: session)
                    try Self.address(
                        entry, expiresAt: entry.after.openedAt + lifetime, uuid: uuid, at: transaction.now, &result, in: session)
                }
            }
            return result
        }
    }

    /// Adds a delivery for each device. It supersedes older deliveries for the same conversation, since a push covers everything
    /// unread there.
    private static func address(
        _ entry: DecidedBatch, expiresAt: Timestamp, uuid: () -> String, at now: Timestamp, _ result: inout CarriedOut,
        in session: SQLSession
    ) throws {
        for device in try DeviceRows.reachable(of: entry.after.user, in: session) {
            if entry.place.isComplete {
                result.superseded += try DeliveryRows.supersede(entry.place.collapse, on: device, in: session)
            }
            try DeliveryRows.insert(
                uuid(), of: entry.after, to: device, at: entry.place, expiresAt: expiresAt, now: now, in: session)
            result.services.insert(device.target.service)
        }
        try BatchRows.removeIfDone(entry.after.id, in: session)
    }

    func nextDecision() async throws -> Timestamp? { try await storage.read { try BatchRows.nextDue(in: $0) } }

    // MARK: Delivering

    func releaseLeases() async throws {
        try await storage.write { try DeliveryRows.release(in: $0.session) }
    }

    func lease(_ service: PushPlatform, limit: Int) async throws -> [Delivery] {
        try await storage.write { try DeliveryRows.lease(service, limit: limit, at: $0.now, in: $0.session) }
    }

    func contents(of deliveries: [Delivery], at now: Timestamp) async throws -> [Int64: DeliveryContent] {
        let batches = Set(deliveries.map(\.batch))
        return try await storage.read { session in
            var contents: [Int64: DeliveryContent] = [:]
            for id in batches {
                guard let batch = try BatchRows.find(id, in: session) else { continue }
                contents[id] = DeliveryContent(
                    news: try NewsReader.news(of: batch, at: now, in: session),
                    settings: try SettingsRows.find(batch.user, in: session))
            }
            return contents
        }
    }

    func finish(_ deliveries: [FinishedDelivery]) async throws -> Int {
        try await storage.write { transaction in
            let session = transaction.session
            var superseded = 0
            for finished in deliveries {
                let delivery = finished.delivery
                if let (place, pause) = finished.pause {
                    try PauseRows.put(pause, for: delivery.device.target.service, place: place, in: session)
                }
                switch finished.ending {
                case .sent, .cancelled, .refused:
                    if let record = finished.record {
                        try DeliveryRows.log(record, of: delivery, at: transaction.now, in: session)
                    }
                    try DeliveryRows.remove(delivery.id, in: session)
                case .gone(let since):
                    try DeliveryRows.remove(delivery.id, in: session)
                    try DeviceRows.prune(delivery.device, goneSince: since, in: session)
                case .later(let time, let isAttempt):
                    let isDropped = try DeliveryRows.postpone(delivery, until: time, isAttempt: isAttempt, in: session)
                    if isDropped { superseded += 1 }
                }
            }
            return superseded
        }
    }

    func pauses(of service: PushPlatform, at now: Timestamp) async throws -> [String: ProviderPause] {
        try await storage.read { try PauseRows.all(of: service, at: now, in: $0) }
    }

    func repairTimes(rules: PushRules) async throws {
        try await storage.write { transaction in
            try BatchRows.repairTimes(rules: rules, at: transaction.now, in: transaction.session)
            try DeliveryRows.repairTimes(at: transaction.now, in: transaction.session)
            try PauseRows.repairTimes(at: transaction.now, in: transaction.session)
        }
    }

    func nextDelivery(_ service: PushPlatform) async throws -> Timestamp? {
        try await storage.read { try DeliveryRows.nextDue(service, in: $0) }
    }

    func overview(at now: Timestamp, limit: Int) async throws -> OutboxOverview {
        try await storage.read { try OutboxOverview(at: now, limit: limit, in: $0) }
    }
}
