import SparkCore
public import SparkKit

/// The configuration section `chat`.
public struct ChatConfiguration: ModuleConfiguration {
    /// The settings of the section, with their ranges and defaults.
    public static let settings: [Setting] = [
        .integer("message_characters", 1...mostCharacters, default: 2_000, "Maximum number of characters in a message."),
        .integer("edit_minutes", 0...525_600, default: 15, "Age at which a message can no longer be edited; 0: none can."),
        .integer(
            "delete_minutes", 0...525_600, default: 1_440, "Age at which a message can no longer be deleted; 0: no such age."),
        .integer(
            "new_conversations_per_day", 0...100_000, default: 100,
            "Conversations that one person may open in a UTC day; halved for each person who reported them within 30 days; 0 lifts the limit."
        ),
        .integer(
            "messages_per_day", 0...10_000_000, default: MessageQuota.Limits.standard.messages,
            "Messages and edits of one person in a UTC day; 0 lifts the limit."),
        .integer(
            "bytes_per_day", 0...1_099_511_627_776, default: MessageQuota.Limits.standard.bytes,
            "Bytes of text that one person may send in a UTC day; 0 lifts the limit."),
        .choice(
            "contact_gate", ContactGate.Mode.allCases.map(\.rawValue), default: ContactGate.Mode.off.rawValue,
            """
            Which messages with links, e-mail addresses or phone numbers wait for a moderator; unless off, names and profile \
            texts with them are refused.
            """),
        .list(
            "gif_hosts", default: [],
            "Hosts that may serve GIFs by https, *.example.org for all below one; identifiers are always allowed.",
            fault: HostName.patternFault),
        .list("sticker_hosts", default: [], "The same for stickers.", fault: HostName.patternFault),
        .integer("message_days", 0...36_500, default: 0, "Days for which messages are kept; 0: forever."),
        .integer("held_days", 1...36_500, default: 30, "Days for which a held message waits for a decision."),
    ]

    /// The greatest length of a text that can be configured.
    static let mostCharacters = 8_000

    let rules: MessageRules
    let newConversationsPerDay: Int
    let quota: MessageQuota.Limits
    let contactGate: ContactGate.Mode
    /// How long messages are kept; nil: forever.
    let messageLifetime: Duration?
    let heldLifetime: Duration

    /// Reads the section from checked values.
    public init(_ values: SettingValues) {
        let (deleteMinutes, messageDays) = (values.integer("delete_minutes"), values.integer("message_days"))
        self.rules = MessageRules(
            characters: values.integer("message_characters"), editWindow: .minutes(values.integer("edit_minutes")),
            deleteWindow: deleteMinutes == 0 ? nil : .minutes(deleteMinutes),
            pictures: PictureRule(gifHosts: values.list("gif_hosts"), stickerHosts: values.list("sticker_hosts")))
        self.newConversationsPerDay = values.integer("new_conversations_per_day")
        self.quota = MessageQuota.Limits(messages: values.integer("messages_per_day"), bytes: values.integer("bytes_per_day"))
        self.contactGate = ContactGate.Mode(rawValue: values.text("contact_gate")) ?? .off
        self.messageLifetime = messageDays == 0 ? nil : .days(messageDays)
        self.heldLifetime = .days(values.integer("held_days"))
    }
}

/// Limits on writing, editing and deleting messages.
struct MessageRules: Sendable {
    let characters: Int
    let editWindow: Duration
    /// Nil: a message can be deleted at any age.
    let deleteWindow: Duration?
    let pictures: PictureRule
}
