import SparkCore
import SparkKit

/// Builds the notifications for deliveries from the data current at that moment.
struct PushComposer: Sendable {
    let store: any PushStore
    let unread: any UnreadCounting

    /// The notifications by delivery. Deliveries without news are missing.
    func notifications(for deliveries: [Delivery], at now: Timestamp) async throws -> [Int64: PushNotification] {
        let contents = try await store.contents(of: deliveries, at: now)
        var badges: [UserID: Int] = [:]
        var notifications: [Int64: PushNotification] = [:]
        for delivery in deliveries {
            guard let content = contents[delivery.batch], !content.news.heard.isEmpty else { continue }
            let user = delivery.device.user
            if badges[user] == nil { badges[user] = try await unread.unreadTotal(of: user) }
            notifications[delivery.id] = Self.notification(for: delivery, content, badge: badges[user] ?? 0)
        }
        return notifications
    }

    private static func notification(for delivery: Delivery, _ content: DeliveryContent, badge: Int) -> PushNotification {
        let news = content.news
        let text = PushText(news, preview: content.settings.preview, language: delivery.device.language)
        let place = PushPlace(news, batch: delivery.batch)
        var data = [(name: "kind", value: news.kind.wire), (name: "badge", value: "\(badge)")]
        if news.kind != .like, news.heard.count == 1, let subject = news.heard.first?.subject {
            data.append((name: "conversation_id", value: ConversationID(rawValue: subject).wire))
        }
        return PushNotification(
            id: delivery.uuid, target: delivery.device.target, title: text.title, body: text.body, badge: badge,
            collapseID: delivery.collapse, thread: place.thread, priority: delivery.priority,
            isQuiet: delivery.priority == .low, expiresAt: delivery.expiresAt, data: data)
    }

    /// The form in which the provider `log` records a notification.
    static func record(of notification: PushNotification) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("title", notification.title)
            writer.field("body", notification.body)
            if let badge = notification.badge { writer.field("badge", badge) }
            writer.field("collapse_id", notification.collapseID)
            writer.field("thread", notification.thread)
            writer.field("priority", notification.priority.wire)
            writer.field("is_quiet", notification.isQuiet)
            writer.key("data")
            writer.object { writer in
                for (name, value) in notification.data { writer.field(name, value) }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func noteSent(_ notification: PushNotification, to user: UserID, in usefulness: UsefulnessGauge, at now: Timestamp) {
        guard let wire = notification.data.first(where: { $0.name == "conversation_id" })?.value,
            let conversation = ConversationID(wire: wire)
        else { return }
        usefulness.sent(to: user, conversations: [conversation.rawValue], at: now)
    }
}
