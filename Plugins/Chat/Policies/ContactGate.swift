import SparkCore
import SparkStorage

/// Holds messages that contain contact details: links, e-mail addresses, phone numbers and messenger handles. Refuses contact
/// details in profiles, because everybody reads a profile before the first message.
struct ContactGate: MessagePolicy, ProfileTextPolicy {
    /// Which messages are checked.
    enum Mode: String, CaseIterable, Sendable {
        case off
        /// The first message of a conversation.
        case opening
        case always
    }

    let mode: Mode
    let pictures: PictureRule

    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict {
        switch mode {
        case .off: return .allow
        case .opening where !draft.isOpening: return .allow
        case .opening, .always:
            return try leadsElsewhere(draft.content, draft.text) || endsNumber(draft, at: now, in: work) ? .hold : .allow
        }
    }

    func maySay(_ text: String) -> Bool { mode == .off || !ContactDetails.areIn(text) }

    /// Whether a message contains contact details. The sender states the kind, so every kind is checked.
    func leadsElsewhere(_ content: MessageContent, _ text: String) -> Bool {
        guard content != .text else { return ContactDetails.areIn(text) }
        if PictureRule.isIdentifier(text) { return ContactDetails.areIn(identifier: text) }
        // The operator trusts the host. The sender chose the rest, so the rest is checked.
        guard let chosen = pictures.chosen(in: text, as: content) else { return ContactDetails.areIn(text) }
        return chosen.contains { ContactDetails.areIn(identifier: String($0)) }
            || ContactDetails.areIn(identifier: chosen.joined(separator: "-"))
    }

    // MARK: Numbers in pieces

    /// Bounds of a number that is sent in pieces: the number of messages, the UTF-8 length of each, and the time they span.
    private static let (mostPieces, longestPiece, pieceLifetime) = (8, 40, Duration.minutes(10))

    /// Whether a message of digits forms a phone number together with the sender's messages directly before it.
    private func endsNumber(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> Bool {
        guard mode == .always, draft.content == .text, !draft.isOpening, draft.text.utf8.count <= Self.longestPiece,
            ContactDetails.isNumberPiece(draft.text)
        else { return false }
        var (pieces, isEnded) = ([draft.text], false)
        try PolicyRows.newest(Self.mostPieces, in: draft.conversation, work.transaction.session) { message in
            isEnded =
                isEnded || message.sender != draft.from || !message.isText || message.text.utf8.count > Self.longestPiece
                || now - message.sentAt > Self.pieceLifetime || !ContactDetails.isNumberPiece(message.text)
            if !isEnded { pieces.append(message.text) }
            return !isEnded
        }
        return pieces.count > 1 && ContactDetails.isNumber(inPieces: pieces.reversed())
    }
}
