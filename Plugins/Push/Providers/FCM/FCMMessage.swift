import SparkCore

/// Builds a message to one registration (Google: "REST resource: projects.messages").
enum FCMMessage {
    /// In bytes. Google limits the texts and data; this limits the whole message, which is never smaller.
    static let limit = 4_096
    /// Four weeks, the longest that Google stores a message.
    private static let longestLife: Int64 = 2_419_200

    /// Nil when the data alone is too long.
    static func bytes(of notification: PushNotification, now: Timestamp) -> [UInt8]? {
        let life = min(max(0, (notification.expiresAt - now).milliseconds / 1_000), longestLife)
        return FittedText.fit(title: notification.title, body: notification.body, limit: limit) { title, body in
            var writer = JSONWriter(capacity: 1_024)
            writer.object { writer in
                writer.key("message")
                writer.object { message in
                    message.field("token", notification.target.token)
                    message.field("notification", ["title": .string(title), "body": .string(body)] as JSONValue)
                    message.key("data")
                    message.object { data in
                        for (name, value) in notification.data { data.field(name, value) }
                    }
                    android(notification, life: life, &message)
                    apple(notification, &message)
                }
            }
            return writer.bytes
        }
    }

    /// Google throttles apps whose urgent messages show nothing. These always show something, yet likes and quiet pushes can
    /// wait.
    private static func isUrgent(_ notification: PushNotification) -> Bool {
        notification.priority == .high || notification.priority == .medium && !notification.isQuiet
    }

    private static func android(_ notification: PushNotification, life: Int64, _ message: inout JSONWriter) {
        message.key("android")
        message.object { android in
            android.field("priority", isUrgent(notification) ? "HIGH" : "NORMAL")
            android.field("ttl", "\(life)s")
            if !notification.collapseID.isEmpty { android.field("collapse_key", notification.collapseID) }
            android.key("notification")
            android.object { shown in
                if !notification.collapseID.isEmpty { shown.field("tag", notification.collapseID) }
                shown.field("default_sound", !notification.isQuiet)
                shown.field("notification_priority", notification.isQuiet ? "PRIORITY_LOW" : "PRIORITY_DEFAULT")
                if let badge = notification.badge { shown.field("notification_count", max(0, badge)) }
            }
        }
    }

    /// For apps on Apple devices that are registered with FCM.
    private static func apple(_ notification: PushNotification, _ message: inout JSONWriter) {
        message.key("apns")
        message.object { apns in
            apns.key("headers")
            apns.object { headers in
                headers.field("apns-priority", isUrgent(notification) ? "10" : "5")
                headers.field("apns-expiration", String(max(0, notification.expiresAt.milliseconds / 1_000)))
                if !notification.collapseID.isEmpty { headers.field("apns-collapse-id", notification.collapseID) }
            }
            apns.key("payload")
            apns.object { payload in
                payload.key("aps")
                payload.object { aps in
                    if !notification.isQuiet { aps.field("sound", "default") }
                    if let badge = notification.badge { aps.field("badge", max(0, badge)) }
                    if !notification.thread.isEmpty { aps.field("thread-id", notification.thread) }
                }
            }
        }
    }
}
