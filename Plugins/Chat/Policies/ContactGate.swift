import SparkCore

/// Holds messages by which people are led elsewhere: links, e-mail addresses, phone numbers; and refuses them in profiles, which
/// everybody reads before the first message.
struct ContactGate: MessagePolicy, ProfileTextPolicy {
    /// Which messages are looked at.
    enum Mode: String, CaseIterable, Sendable {
        case off
        /// The first one of a conversation.
        case opening
        case always
    }

    let mode: Mode

    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict {
        switch mode {
        case .off: return .allow
        case .opening where !draft.isOpening: return .allow
        case .opening, .always: return Self.leadsElsewhere(draft) ? .hold : .allow
        }
    }

    func maySay(_ text: String) -> Bool { mode == .off || !ContactDetails.areIn(text) }

    /// The sender says what kind a message is, so every kind is looked at.
    private static func leadsElsewhere(_ draft: MessageDraft) -> Bool {
        guard draft.content != .text else { return ContactDetails.areIn(draft.text) }
        if PictureRule.isIdentifier(draft.text) { return ContactDetails.areIn(identifier: draft.text) }
        // The operator vouches for the host, not for what follows it.
        guard let path = PictureRule.path(of: draft.text) else { return ContactDetails.areIn(draft.text) }
        return path.contains("@") || path.contains("://") || path.lowercased().contains("www.")
            || path.split(whereSeparator: { "/?#&=".contains($0) }).contains { ContactDetails.areIn(identifier: String($0)) }
    }
}
