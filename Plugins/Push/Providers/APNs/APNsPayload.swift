import SparkCore

/// The payload for Apple devices (Apple: "Generating a remote notification").
enum APNsPayload {
    /// In bytes.
    static let limit = 4_096

    /// Without text there is nothing to show: the push only wakes the app.
    static func isBackground(_ notification: PushNotification) -> Bool {
        notification.title.isEmpty && notification.body.isEmpty
    }

    /// 10 sends at once, 5 when it suits the device's battery. Messages with sound go at once; quiet messages and likes may wait.
    /// Apple refuses background pushes with 10.
    static func priority(of notification: PushNotification) -> String {
        if isBackground(notification) { return "5" }
        switch notification.priority {
        case .high: return "10"
        case .medium: return notification.isQuiet ? "5" : "10"
        case .low: return "5"
        }
    }

    /// At most `limit` bytes. Only the text is shortened, never the data. Nil when the data alone is too long.
    static func bytes(of notification: PushNotification) -> [UInt8]? {
        if isBackground(notification) {
            let bytes = render(notification, alert: nil)
            return bytes.count <= limit ? bytes : nil
        }
        return FittedText.fit(title: notification.title, body: notification.body, limit: limit) { title, body in
            render(notification, alert: (title, body))
        }
    }

    private static func render(_ notification: PushNotification, alert: (title: String, body: String)?) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.object { writer in
            writer.key("aps")
            writer.object { writer in
                if let alert {
                    writer.field("alert", ["title": .string(alert.title), "body": .string(alert.body)] as JSONValue)
                    writer.field("interruption-level", notification.isQuiet ? "passive" : "active")
                    if !notification.isQuiet { writer.field("sound", "default") }
                } else {
                    writer.field("content-available", 1)
                }
                if let badge = notification.badge { writer.field("badge", max(0, badge)) }
                if !notification.thread.isEmpty { writer.field("thread-id", notification.thread) }
            }
            for (name, value) in notification.data where name != "aps" { writer.field(name, value) }
        }
        return writer.bytes
    }
}
