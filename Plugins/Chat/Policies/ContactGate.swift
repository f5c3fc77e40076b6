import SparkCore

/// Holds messages by which people are led elsewhere: links, e-mail addresses, phone numbers.
struct ContactGate: MessagePolicy {
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
        case .opening, .always:
            // A picture is named by a link of its own.
            let holds = draft.content == .text && ContactDetails.areIn(draft.text)
            return holds ? .hold : .allow
        }
    }
}

/// Recognises what leads elsewhere. Errs towards holding: somebody looks at what is held.
enum ContactDetails {
    private static let fewestPhoneDigits = 7
    private static let mostPhoneDigits = 15
    private static let endings: Set<Substring> = [
        "com", "net", "org", "io", "me", "co", "de", "fr", "uk", "es", "it", "eu", "ru", "app", "link", "ly", "gg", "tv", "info",
        "biz", "xyz", "site", "online", "nl", "pl", "ch", "at", "be",
    ]

    static func areIn(_ text: String) -> Bool {
        let lower = text.lowercased()
        return lower.contains("://") || lower.contains("www.") || hasAddress(lower) || hasPhoneNumber(lower)
    }

    /// `name@host.tld`, and `host.tld` with a well-known ending.
    private static func hasAddress(_ text: String) -> Bool {
        text.split(whereSeparator: \.isWhitespace).contains { word in
            let parts = word.split(separator: "@", omittingEmptySubsequences: false)
            if parts.count == 2, let name = parts.first, let host = parts.last, !name.isEmpty, host.dropFirst().contains(".") {
                return true
            }
            return isHost(word)
        }
    }

    private static func isHost(_ word: Substring) -> Bool {
        let host = word.prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false).filter { !$0.isEmpty }
        guard labels.count > 1, host.contains(where: \.isLetter), let last = labels.last else { return false }
        return endings.contains(last)
    }

    /// Seven to fifteen digits (ITU-T E.164 allows fifteen) with nothing between them but what people write there.
    private static func hasPhoneNumber(_ text: String) -> Bool {
        var (digits, gap) = (0, 0)
        for character in text {
            if character.isWholeNumber {
                digits += 1
                gap = 0
                if digits > mostPhoneDigits { return true }
            } else if digits > 0, "+-./() ".contains(character), gap < 2 {
                gap += 1
            } else {
                if digits >= fewestPhoneDigits { return true }
                (digits, gap) = (0, 0)
            }
        }
        return digits >= fewestPhoneDigits
    }
}
