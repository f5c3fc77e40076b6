import SparkCore
import SparkStorage

/// Holds messages by which people are led elsewhere: links, e-mail addresses, phone numbers, names at messengers; and refuses them in
/// profiles, which everybody reads before the first message.
struct ContactGate: MessagePolicy, ProfileTextPolicy {
    /// Which messages are looked at.
    enum Mode: String, CaseIterable, Sendable {
        case off
        /// The first one of a conversation.
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

    /// Whether a message is one to be held. The sender says what kind it is, so every kind is looked at.
    func leadsElsewhere(_ content: MessageContent, _ text: String) -> Bool {
        guard content != .text else { return ContactDetails.areIn(text) }
        if PictureRule.isIdentifier(text) { return ContactDetails.areIn(identifier: text) }
        // The operator vouches for the host, not for what the sender chose.
        guard let chosen = pictures.chosen(in: text, as: content) else { return ContactDetails.areIn(text) }
        return chosen.contains { ContactDetails.areIn(identifier: String($0)) }
            || ContactDetails.areIn(identifier: chosen.joined(separator: "-"))
    }

    // MARK: Numbers in pieces

    /// A number that is sent in pieces has at most so many, each at most so long, within a short time.
    private static let (mostPieces, longestPiece, pieceLifetime) = (8, 40, Duration.minutes(10))

    /// Whether a message of nothing but digits makes a phone number with the messages that its sender wrote right before it.
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
