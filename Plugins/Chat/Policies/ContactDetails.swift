import SparkCore

/// Recognises what leads elsewhere, in whatever way it is written. Errs towards holding: somebody looks at what is held.
///
/// The text is folded first (`FoldedContactText`): dressed-up, foreign and look-alike characters become the plain ones, spelled
/// digits and separators become what they stand for. What is looked for is looked for in the folded text alone.
enum ContactDetails {
    private static let fewestPhoneDigits = 7
    private static let mostPhoneDigits = 15
    /// Digits that make a phone number although commas, colons or line ends part them.
    private static let fewestLooseDigits = 9

    /// Endings that are no word of a language when they follow a full stop without a space.
    private static let plainEndings: Set<Substring> = [
        "com", "net", "org", "io", "info", "biz", "xyz", "site", "online", "app", "link", "ly", "gg", "tv", "co", "uk", "eu",
        "ru",
        "fr", "nl", "pl", "ch", "dev", "shop", "club", "ai", "cc", "jp", "cn", "kr", "br", "mx", "dk", "fi", "cz", "gr", "pt",
        "ro",
        "hu", "ua", "kz", "vn", "th", "ph", "sg", "hk", "tw", "nz", "za", "ae", "ng", "fm", "im", "ws", "mobi", "gmbh", "edu",
        "gov",
        "рф",
    ]
    /// Endings that are words too: taken only where nothing parts them from the name.
    private static let wordEndings: Set<Substring> = ["me", "de", "es", "it", "at", "be", "au", "ca", "se", "pk", "ir"]
    private static let mailProviders: Set<Substring> = [
        "gmail", "googlemail", "hotmail", "outlook", "yahoo", "ymail", "icloud", "gmx", "proton", "protonmail", "aol", "yandex",
        "mail.ru", "web.de", "qq", "163",
    ]

    static func areIn(_ text: String) -> Bool {
        let folded = FoldedContactText(text)
        return hasLink(folded) || folded.words.contains(where: leads) || hasPhoneNumber(folded.digits)
    }

    /// In what names a picture: a number in it, or a number that is all of it. The names that machines make (RFC 9562) have many
    /// digits.
    static func areIn(identifier: String) -> Bool {
        guard !isUUID(identifier) else { return false }
        return hasPhoneNumber(FoldedContactText(identifier.replacing("_", with: " ")).digits)
    }

    private static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12] && text.count(where: \.isLetter) >= 4
            && groups.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    private static func hasLink(_ folded: FoldedContactText) -> Bool {
        let text = Array(folded.compact.utf8)
        return links.contains { link in
            text.indices.contains { text[$0] == link[0] && text[$0...].starts(with: link) }
        }
    }

    private static let links = ["://", "www.", "hxxp"].map { Array($0.utf8) }

    // MARK: Addresses

    /// A word of the folded text: `name@host.tld`, `name@provider`, `host.tld` with a known ending, `host.xy/path`.
    private static func leads(_ word: Substring) -> Bool {
        let parts = word.split(separator: "@", omittingEmptySubsequences: false)
        if parts.count > 1 {
            for (name, host) in zip(parts, parts.dropFirst()) where name.last?.isLetter == true || name.last?.isNumber == true {
                if host.dropFirst().contains("."), host.contains(where: \.isLetter) { return true }
                if mailProviders.contains(host.prefix { $0.isLetter || $0.isNumber }) { return true }
            }
        }
        return parts.contains(where: isHost)
    }

    private static func isHost(_ word: Substring) -> Bool {
        let host = word.drop { !$0.isLetter && !$0.isNumber }.prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false).filter { !$0.isEmpty }
        guard labels.count > 1, host.contains(where: \.isLetter), let last = labels.last else { return false }
        if plainEndings.contains(last) || wordEndings.contains(last) { return true }
        let rest = word[host.endIndex...]
        return rest.first == "/" && rest.count > 1 && last.count > 1 && last.allSatisfy(\.isLetter)
    }

    /// Whether an ending stands for itself where a spelled or lonely dot parts it from the name.
    static func isPlainEnding(_ word: Substring) -> Bool { plainEndings.contains(word) }

    /// Whether an ending is one even behind a full stop and a space, as in the middle of a text.
    static func isCommonEnding(_ word: Substring) -> Bool { ["com", "org"].contains(word) }

    /// Whether a word means a mail address even without an at sign.
    static func isMailProvider(_ word: Substring) -> Bool {
        ["gmail", "googlemail", "hotmail", "ymail", "icloud", "gmx", "protonmail"].contains(word)
    }

    // MARK: Phone numbers

    /// Seven to fifteen digits (ITU-T E.164 allows fifteen) with nothing between them but what people write there.
    private static func hasPhoneNumber(_ runs: [DigitRun]) -> Bool {
        runs.contains { run in
            if run.isDate { return false }
            let least = run.isLoose ? fewestLooseDigits : fewestPhoneDigits
            return run.groups.contains { $0.count > mostPhoneDigits } || run.count >= least
                || run.tightCounts.contains { $0 >= fewestPhoneDigits }
        }
    }
}

/// Groups of digits with nothing but separators between them.
struct DigitRun: Sendable {
    private(set) var groups: [[UInt8]] = []
    /// Between the groups.
    private(set) var separators: [String] = []

    private static let looseSigns: Set<Character> = [",", ";", ":", "|", "、", "\n"]

    mutating func append(_ digit: UInt8, after separator: String) {
        guard !groups.isEmpty, separator.isEmpty else {
            if !groups.isEmpty { separators.append(separator) }
            groups.append([digit])
            return
        }
        groups[groups.count - 1].append(digit)
    }

    var count: Int { groups.reduce(0) { $0 + $1.count } }

    private func isLoose(_ separator: String) -> Bool { separator.contains(where: Self.looseSigns.contains) }

    /// Whether some of its groups may belong to different numbers.
    var isLoose: Bool { separators.contains(where: isLoose) }

    /// Digits of each part that nothing loose divides.
    var tightCounts: [Int] {
        var counts = [groups.first?.count ?? 0]
        for (separator, group) in zip(separators, groups.dropFirst()) {
            if isLoose(separator) { counts.append(group.count) } else { counts[counts.count - 1] += group.count }
        }
        return counts
    }

    /// A date of one of the common forms with a year of four digits, and a time after it or not.
    var isDate: Bool {
        let numbers = groups.map { $0.reduce(0) { ($0 &* 10 &+ Int($1)) & 0xFFFF } }
        let lengths = groups.map(\.count)
        guard groups.count == 3 || (groups.count == 5 && separators[3] == ":" && lengths[3] <= 2 && lengths[4] == 2),
            separators.count >= 2,
            separators[0] == separators[1], [".", "/", "-", ". "].contains(separators[0])
        else { return false }
        if groups.count == 5, numbers[3] > 23 || numbers[4] > 59 { return false }
        let isYearFirst = lengths[0] == 4
        guard isYearFirst ? lengths[1] <= 2 && lengths[2] <= 2 : lengths[0] <= 2 && lengths[1] <= 2 && lengths[2] == 4 else {
            return false
        }
        let (year, one, two) = isYearFirst ? (numbers[0], numbers[1], numbers[2]) : (numbers[2], numbers[0], numbers[1])
        return (1900...2100).contains(year) && (1...31).contains(one) && (1...31).contains(two) && min(one, two) <= 12
    }
}
