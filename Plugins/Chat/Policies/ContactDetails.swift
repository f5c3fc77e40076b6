import SparkCore

/// Recognizes contact details in a text, however they are disguised. Prefers false positives, because a moderator reviews every
/// held message.
///
/// The text is folded first (`FoldedContactText`): decorated, foreign and look-alike characters become plain ones, and spelled
/// digits and separators become digits and signs. Almost all checks read the folded text only. Every check is linear in the
/// length of the text.
enum ContactDetails {
    /// Whether a text contains a link, an address, a phone number or a messenger handle.
    static func areIn(_ text: String) -> Bool {
        let folded = FoldedContactText(text)
        return hasLink(folded.compact) || folded.words.contains { leads($0) || isBraided($0) } || hasPhoneNumber(folded.digits)
            || MessengerHandle.isIn(folded.plain) || VanityNumber.isIn(text)
    }

    // MARK: Pictures

    /// Whether a picture's identifier or name contains a phone number, an address or a handle. UUIDs (RFC 9562) are accepted
    /// although they have many digits.
    static func areIn(identifier: String) -> Bool {
        guard !isUUID(identifier) else { return false }
        let parts: [Substring] = identifier.lowercased().split { !$0.isLetter && !$0.isNumber }
        let spaced = parts.joined(separator: " ")
        if hasPhoneNumber(FoldedContactText(spaced).digits) || VanityNumber.isIn(parts.joined(separator: "-")) { return true }
        guard parts.count > 1 || identifier.contains(".") else { return parts.first.map { MessengerHandle.isGlued($0) } ?? false }
        for (part, next) in zip(parts, parts.dropFirst()) {
            // A domain with a name before or after it, or an ending that is not a word.
            if shortHosts.contains("\(part).\(next)") { return true }
            if part.count > 1, next == "com" || next == "net" || next == "org" || next == "ru" { return true }
            if part == "dot" || part == "www" || part == "http" || part == "https" { return true }
            if mailProviders.contains(part) || mailProviders.contains(next) { return true }
        }
        return parts.contains { MessengerHandle.isUnmistakable($0) || MessengerHandle.isGlued($0) }
    }

    private static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12] && text.count(where: \.isLetter) >= 4
            && groups.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    // MARK: Links

    private static func hasLink(_ compact: String) -> Bool {
        let text = Array(compact.utf8)
        return links.contains { link in
            text.indices.contains { text[$0] == link[0] && text[$0...].starts(with: link) }
        }
    }

    private static let links = ["://", "www.", "hxxp"].map { Array($0.utf8) }

    // MARK: Addresses

    /// Endings that are not words of a language when they follow a full stop without a space.
    private static let plainEndings: Set<Substring> = [
        "com", "net", "org", "io", "info", "biz", "xyz", "site", "online", "app", "link", "ly", "gg", "tv", "co", "uk", "eu",
        "ru",
        "fr", "nl", "pl", "ch", "dev", "shop", "club", "ai", "cc", "jp", "cn", "kr", "br", "mx", "dk", "fi", "cz", "gr", "pt",
        "ro",
        "hu", "ua", "kz", "vn", "th", "ph", "sg", "hk", "tw", "nz", "za", "ae", "ng", "fm", "im", "ws", "mobi", "gmbh", "edu",
        "gov",
        "рф", "lt", "lv", "ee", "sk", "hr", "rs", "bg", "tk", "website",
    ]
    /// Endings that are also words. They count only if they follow the name's dot directly.
    private static let wordEndings: Set<Substring> = ["me", "de", "es", "it", "at", "be", "au", "ca", "se", "pk", "ir"]
    /// Further endings, most of them country codes (ISO 3166). They count only in an address with an at sign or a deliberate dot.
    private static let otherEndings: Set<Substring> = Set(
        """
        ad af ag al am ao aq ar as aw ax az ba bb bd bf bh bi bj bm bn bo bs bt bv bw bz cd cf cg ci ck cl cm cr cu cv cw cx cy dj dm do \
        dz ec eg er et fj fk fo ga gb ge gf gh gi gm gn gp gq gs gt gu gw gy hm hn ht id ie il in iq is je jm jo ke kg kh ki km kn kp kw ky \
        la lb lc li lk lr ls lu ma mc md mg mh mk ml mm mn mo mp mq mr mt mu mv mw my mz na nc ne nf ni no np nr nu om pa pe pf pg pm pn pr \
        ps pw py qa re rw sa sb sc sd sh sj sl sm sn so sr ss st sv sx sy sz tc td tf tg tj tl tm tn to tr tt tz ug us uy uz va vc ve vg vi \
        vu wf ye yt zm zw su by si gl gd bio page chat cat family life live email name pro space store tech world
        """.split(separator: " "))
    /// Endings with which a sentence may continue after a full stop.
    private static let sentenceWords: Set<Substring> = [
        "me", "es", "it", "at", "be", "se", "am", "as", "do", "et", "id", "in", "is", "la", "ma", "my", "na", "ne", "no", "so",
        "to",
        "us", "va", "name", "live", "life", "by", "si",
    ]
    /// Domains whose links open a chat with a person.
    private static let shortHosts: Set<String> = [
        "t.me", "wa.me", "m.me", "ig.me", "fb.me", "line.me", "signal.me", "telegram.me",
    ]
    private static let mailProviders: Set<Substring> = [
        "gmail", "googlemail", "hotmail", "outlook", "yahoo", "ymail", "icloud", "gmx", "proton", "protonmail", "aol", "yandex",
        "mail.ru", "web.de", "qq", "163",
    ]

    /// Whether a folded word is `name@host.tld`, `name@provider`, `host.tld` with a known ending, or `host.xy/path`.
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
        guard labels.count > 1, host.contains(where: \.isLetter), let last = labels.last else { return isSpelledHost(host) }
        let name = labels[labels.count - 2]
        // `映画・TV` is a list of words; `пример.com` is an address.
        if plainEndings.contains(last),
            name.last.map({ $0.isASCII }) == true || last == "com" || last == "net" || last == "org" || last == "ru"
                || last == "рф"
        {
            return true
        }
        if wordEndings.contains(last) {
            // Several dots in a row end a thought; a single letter before the dot is an abbreviation.
            let isOne = !host.dropLast(last.count).hasSuffix("..")
            if isOne, name.count > 1, name.last.map({ $0.isASCII }) == true { return true }
            if shortHosts.contains("\(name).\(last)") { return true }
        }
        let rest = word[host.endIndex...]
        return rest.first == "/" && rest.count > 1 && last.count > 1 && last.allSatisfy(\.isLetter)
    }

    /// Whether a word has its dot spelled inside, as in `exampledotcom`.
    private static func isSpelledHost(_ word: Substring) -> Bool {
        spelledEndings.contains { ending in word.hasSuffix(ending) && word.utf8.count >= ending.utf8.count + 3 }
    }

    private static let spelledEndings = [
        "dotcom", "dotnet", "dotorg", "dotde", "dotcouk", "punktde", "punktcom", "punktnet", "puntocom", "pontocom", "pointcom",
    ]

    /// Whether an ending is accepted after a spelled dot, or a dot with spaces around it.
    static func isPlainEnding(_ word: Substring) -> Bool { plainEndings.contains(word) }

    /// Whether a word is any known ending.
    static func isEnding(_ word: Substring) -> Bool {
        plainEndings.contains(word) || wordEndings.contains(word) || otherEndings.contains(word)
    }

    /// Whether a sentence may continue with the word after a full stop.
    static func isSentenceWord(_ word: Substring) -> Bool { sentenceWords.contains(word) }

    static func isShortHost(_ name: Substring, _ ending: Substring) -> Bool { shortHosts.contains("\(name).\(ending)") }

    /// Whether a word is an ending even after a full stop and a space in the middle of a text.
    static func isCommonEnding(_ word: Substring) -> Bool { word == "com" || word == "org" }

    /// Whether a word means a mail address even without an at sign.
    static func isMailProvider(_ word: Substring) -> Bool {
        switch word {
        case "gmail", "googlemail", "hotmail", "ymail", "icloud", "gmx", "protonmail": true
        default: false
        }
    }

    // MARK: Phone numbers

    /// Whether a word alternates between letters and digits, as in `0a1b7c0d1e2f3`.
    private static func isBraided(_ word: Substring) -> Bool {
        var (digits, changes, last): (Int, Int, UInt8?) = (0, 0, nil)
        for byte in word.utf8 {
            let (isDigit, isLetter) = ((0x30...0x39).contains(byte), (0x61...0x7A).contains(byte))
            digits += isDigit ? 1 : 0
            if let last, isLetter && (0x30...0x39).contains(last) || isDigit && (0x61...0x7A).contains(last) { changes += 1 }
            last = byte
        }
        return digits >= fewestPhoneDigits && changes >= 6
    }

    private static let fewestPhoneDigits = 7
    private static let mostPhoneDigits = 15
    /// Fewest digits of a phone number whose digits are separated by commas, colons, line ends or messages.
    private static let fewestLooseDigits = 9

    /// Whether a run has seven to fifteen digits (ITU-T E.164 allows fifteen) with only the usual separators between them, and is
    /// not an ordinary number.
    private static func hasPhoneNumber(_ runs: [DigitRun]) -> Bool {
        runs.contains { run in
            let count = run.count
            guard count >= fewestPhoneDigits, run.hasDifferentDigits, !OrdinaryNumbers.explain(run) else { return false }
            let least = run.isLoose ? fewestLooseDigits : fewestPhoneDigits
            return run.groups.contains { $0.count > mostPhoneDigits } || count >= least
                || run.tightCounts.contains { $0 >= fewestPhoneDigits }
        }
    }

    /// Whether a text is nothing but digits, spelled or not.
    static func isNumberPiece(_ text: String) -> Bool {
        let folded = FoldedContactText(text)
        guard let run = folded.digits.first, folded.digits.count == 1 else { return false }
        return run.count > 0 && !folded.hasOtherWords
    }

    /// Whether several texts form a phone number together.
    /// - Parameter pieces: texts that `isNumberPiece` accepts, oldest first.
    static func isNumber(inPieces pieces: [String]) -> Bool {
        // Each piece may be an answer by itself, so the fewest digits are those of a loose number.
        let runs = pieces.flatMap { FoldedContactText($0).digits }
        return runs.reduce(0) { $0 + $1.count } >= fewestLooseDigits
    }
}

/// A phone number that ends in letters of the telephone keypad: `1-800-FLOWERS`, `0800 HOTLINE`.
enum VanityNumber {
    private static let areas: Set<Substring> = ["800", "833", "844", "855", "866", "877", "888", "900"]

    static func isIn(_ text: String) -> Bool {
        guard text.utf8.contains(where: { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x80 }) else { return false }
        let plain = text.utf8.allSatisfy { $0 < 0x80 } ? text : TextRule.compatible(text)
        // Groups of letters or digits, separated by one sign or by brackets.
        let words: [Substring] = plain.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "." && $0 != "'" && $0 != "’" }
        var groups: [(text: Substring, isWhole: Bool)] = []
        for word in words {
            let parts: [Substring] = word.split { $0 == "-" || $0 == "." }
            for part in parts { groups.append((part, part.utf8.count == word.utf8.count)) }
        }
        for (index, group) in groups.enumerated() where group.text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            let isAmerican =
                areas.contains(group.text) && index > 0 && (groups[index - 1].text == "1" || groups[index - 1].text == "001")
            let isTrunk = group.text.utf8.count >= 4 && group.text.hasPrefix("0")
            guard isAmerican || isTrunk else { continue }
            let tail = groups[(index + 1)...].prefix(3)
            guard let first = tail.first else { continue }
            let isJoined = !first.isWhole
            var (keys, hasLetters) = (0, false)
            for part in tail {
                guard part.text.utf8.allSatisfy({ isKey($0, inUpperCase: !isJoined || isTrunk) }) else { break }
                keys += part.text.utf8.count
                hasLetters = hasLetters || part.text.utf8.contains { $0 > 0x39 }
            }
            if hasLetters, keys >= (isTrunk ? 4 : 5) { return true }
        }
        return false
    }

    private static func isKey(_ byte: UInt8, inUpperCase: Bool) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A: true
        case 0x61...0x7A: !inUpperCase
        default: false
        }
    }
}
