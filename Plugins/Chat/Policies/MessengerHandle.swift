/// Recognizes a messenger handle: `insta: foo`, `tg @foo`, `add me on snap foo`, `foo_bar on ig`. The name of a messenger alone
/// is not a handle, so people may say that they left one.
enum MessengerHandle {
    /// Whether a folded text contains a handle.
    static func isIn(_ plain: String) -> Bool {
        let tokens = tokens(of: plain)
        for (index, token) in tokens.enumerated() {
            guard case .word(let word) = token else { continue }
            if index > 0, tokens[index - 1] == .sign("@"), isMarked(word), word.count >= 5 { return true }
            guard isMessenger(word) else { continue }
            if hasHandle(after: index, in: tokens) || hasHandle(before: index, in: tokens) { return true }
        }
        return false
    }

    /// Whether a word is the name of a messenger and has no other meaning.
    static func isUnmistakable(_ word: Substring) -> Bool { messengers.contains(word) }

    /// Whether a word is a messenger's name with a handle attached: `telegramfoo`.
    static func isGlued(_ word: Substring) -> Bool {
        ["instagram", "telegram", "whatsapp", "snapchat"].contains { word.hasPrefix($0) && word.utf8.count >= $0.utf8.count + 3 }
    }

    private static let messengers: Set<Substring> = [
        "instagram", "insta", "snapchat", "telegram", "whatsapp", "wechat", "weixin", "kakaotalk", "kakao", "viber", "discord",
        "tiktok",
        "onlyfans", "facebook", "skype", "kik", "threema", "zalo", "twitter", "twitch", "gmail", "hotmail", "icloud",
        "protonmail", "gmx",
        "телеграм", "телеграмм", "телега", "инстаграм",
        "инста", "вотсап", "ватсап", "вконтакте", "微信", "インスタ", "ライン", "テレグラム", "カカオ", "인스타", "카톡", "텔레그램",
    ]
    /// Short names of messengers that are also words.
    private static let shortNames: Set<Substring> = [
        "ig", "tg", "wa", "sc", "snap", "fb", "dc", "wpp", "vk", "тг", "line", "signal", "vx",
    ]

    private static func isMessenger(_ word: Substring) -> Bool { messengers.contains(word) || shortNames.contains(word) }

    // MARK: Tokens

    private enum Token: Equatable {
        /// Letters, digits and the signs that handles contain.
        case word(Substring)
        case sign(Character)
    }

    private static func tokens(of plain: String) -> [Token] {
        var (tokens, rest): ([Token], Substring) = ([], plain[...])
        while let first = rest.first {
            guard first.isLetter || first.isNumber || first == "_" else {
                // Repeated signs count once; spaces do not count.
                if first.isNewline {
                    if tokens.last != .sign("\n") { tokens.append(.sign("\n")) }
                } else if !first.isWhitespace, tokens.last != .sign(first) {
                    tokens.append(.sign(first))
                }
                rest = rest.dropFirst()
                continue
            }
            var word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-" }
            while let last = word.last, last == "." || last == "-" { word = word.dropLast() }
            guard !word.isEmpty else { break }
            tokens.append(.word(word))
            rest = rest[word.endIndex...]
        }
        return joinSingles(tokens)
    }

    /// Joins three or more single letters in a row into one word: `i n s t a`.
    private static func joinSingles(_ tokens: [Token]) -> [Token] {
        var (result, singles): ([Token], [Substring]) = ([], [])
        func flush() {
            result += singles.count >= 3 ? [.word(Substring(singles.joined()))] : singles.map { .word($0) }
            singles = []
        }
        for token in tokens {
            if case .word(let word) = token, word.unicodeScalars.count == 1 {
                singles.append(word)
            } else {
                flush()
                result.append(token)
            }
        }
        flush()
        return result
    }

    private static func word(_ tokens: [Token], _ index: Int) -> Substring? {
        guard tokens.indices.contains(index), case .word(let word) = tokens[index] else { return nil }
        return word
    }

    /// Whether a clause ends before a token.
    private static func isEnd(_ tokens: [Token], _ index: Int) -> Bool {
        guard tokens.indices.contains(index) else { return true }
        guard case .sign(let sign) = tokens[index] else { return false }
        return ".,;!?()\n/|&+".contains(sign) || !sign.isASCII
    }

    // MARK: Handles

    /// Whether a word looks like a handle: it begins with a letter and contains an underscore, a digit or a dot.
    private static func isMarked(_ word: Substring) -> Bool {
        guard word.count >= 4, word.first.map({ $0.isLetter || $0 == "_" }) == true,
            word.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "-") })
        else { return false }
        let isAbbreviated = word.split(separator: ".").allSatisfy { $0.count < 3 }
        return !isAbbreviated
            && word.utf8.contains { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    }

    private static func canBeHandle(_ word: Substring) -> Bool {
        word.utf8.count >= 3 && word.utf8.allSatisfy { $0 < 0x80 } && word.contains(where: \.isLetter)
            && !followers.contains(word)
            && !isMessenger(word)
    }

    private static func hasHandle(after index: Int, in tokens: [Token]) -> Bool {
        guard let messenger = word(tokens, index) else { return false }
        var next = index + 1
        while let link = word(tokens, next), links.contains(link), next < index + 4 { next += 1 }
        let isNamed = next > index + 1
        guard tokens.indices.contains(next) else { return false }
        if case .sign(let sign) = tokens[next] {
            if sign == "@" { return word(tokens, next + 1).map { $0.utf8.count >= 3 } ?? false }
            guard ":=>-~→".contains(sign) else { return false }
            var handle = next + 1
            while case .sign(let sign)? = tokens.indices.contains(handle) ? tokens[handle] : nil, ":=>-~→@\"'".contains(sign) {
                handle += 1
            }
            guard let found = word(tokens, handle) else { return false }
            return isMarked(found)
                || canBeHandle(found) && (isEnd(tokens, handle + 1) && messenger != "line" && messenger != "signal")
        }
        guard let found = word(tokens, next) else { return false }
        if isMarked(found) { return true }
        // `my snap is foo` or `snap foo`: a clause that contains nothing else.
        guard canBeHandle(found), isEnd(tokens, next + 1), messenger != "line" && messenger != "signal" || isNamed else {
            return false
        }
        var before = index - 1
        while let lead = word(tokens, before), before > index - 9 {
            guard leads.contains(lead) else { return false }
            before -= 1
        }
        return isEnd(tokens, before)
    }

    private static func hasHandle(before index: Int, in tokens: [Token]) -> Bool {
        guard let preposition = word(tokens, index - 1), prepositions.contains(preposition), let found = word(tokens, index - 2)
        else {
            return false
        }
        return isMarked(found)
    }

    /// Words between a messenger and a handle.
    private static let links: Set<Substring> = [
        "is", "id", "name", "nick", "user", "username", "handle", "account", "under", "as", "ist", "heisst", "heißt", "es", "est",
        "e", "é",
        "è", "jest", "är",
    ]
    /// Words before a messenger in a clause that gives a handle.
    private static let leads: Set<Substring> = [
        "my", "add", "me", "on", "hmu", "find", "text", "write", "here", "the", "it's", "its", "at", "via", "i'm", "im", "up",
        "hit", "dm",
        "or", "and", "follow", "contact", "reach", "by", "message", "s", "i", "m", "am", "you", "can", "mein", "meine", "ich",
        "bin", "auf",
        "bei", "schreib", "mir", "hier", "und", "mon", "ma", "mes", "sur", "moi", "ajoute", "suis", "mi", "en", "soy", "el",
        "mis", "agrega",
        "agregame", "mio", "su", "il", "sono", "meu", "no", "sou", "mijn", "op", "ik", "ben", "moj", "mój", "na", "min", "pa",
        "på", "jag",
        "heter", "мой", "моя", "в", "мне", "пиши", "и", "to", "lets", "let's", "talk", "chat", "move", "switch",
    ]
    private static let prepositions: Set<Substring> = [
        "on", "auf", "bei", "sur", "en", "su", "no", "op", "na", "på", "pa", "at", "в", "via",
    ]
    /// Words that follow a messenger's name without being a handle.
    private static let followers: Set<Substring> = [
        "story", "stories", "account", "accounts", "page", "pages", "reels", "reel", "photos", "pics", "server", "servers", "too",
        "was",
        "and", "not", "please", "instead", "yet", "addict", "sucks", "filter", "filters", "decision", "decisions", "profile",
        "profiles",
        "posts", "post", "videos", "video", "friends", "group", "groups", "bot", "calls", "call", "dance", "dances", "trend",
        "trends",
        "anymore", "lately", "often", "much", "either", "now", "then", "here", "there", "today", "rarely", "back", "off", "the",
        "this",
        "that", "was", "has", "are", "for", "but", "who", "why", "how", "what", "when", "where", "only", "also", "really",
        "model",
        "models", "user", "users", "app", "though", "always", "never", "sometimes", "boring", "gut", "nicht", "auch", "oder",
        "und",
        "dead", "fun", "cool", "fine", "good", "bad", "great", "ok", "okay", "yes", "maybe", "better", "worse", "all", "none",
        "away",
        "out", "happened", "judgment", "judgement", "fingers", "peas", "pea", "shot", "shots", "dancing", "cook", "aussi", "pas",
        "tambien", "también", "pero", "anche", "pure", "ook", "niet", "też", "tez", "också", "ocksa", "addiction", "break",
        "detox", "full", "down", "broken", "slow", "spam", "empty", "old", "new", "toxic", "annoying", "overrated",
        "addictive", "weird", "private", "gone", "deleted", "work", "important", "nice", "hell", "poison", "evil", "free",
        "useless",
        "everything", "nothing", "enough", "more", "less", "is", "because", "if", "would", "could", "doof", "blöd", "super",
        "toll", "nul",
        "nulle", "mort", "muerto", "saai", "nudny", "tråkig",
    ]
}
