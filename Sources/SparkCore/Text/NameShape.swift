/// Recognises texts that are no names although every character in them may be part of one: numbers, links, e-mail addresses.
///
/// This is about the shape alone and independent of the contact gate, which looks for contact details in any disguise.
enum NameShape {
    /// True for digits without a letter or symbol, such as a phone number. Signs that phone numbers are written with do not count
    /// as symbols.
    static func isNumber(_ text: String) -> Bool {
        var hasDigit = false
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber, .otherSymbol,
                .currencySymbol, .modifierSymbol, .enclosingMark:
                return false
            case .mathSymbol where !["+", "~", "=", "|"].contains(scalar): return false
            case .decimalNumber, .otherNumber: hasDigit = true
            default: break
            }
        }
        return hasDigit
    }

    /// True for a text that contains a link with or without its scheme, or an e-mail address.
    static func isLink(_ text: String) -> Bool {
        // Most names have none of these signs.
        guard text.unicodeScalars.contains(where: isSign) else { return false }
        let plain = TextRule.compatible(text)
        if plain.contains("://") || plain.contains(#":\\"#) { return true }
        return plain.split(whereSeparator: { $0.isWhitespace || "()[]{}<>,;\"|".contains($0) }).contains { word in
            let small = word.lowercased()
            return schemes.contains(where: small.hasPrefix) || isEmail(word) || isAddress(word)
        }
    }

    private static let schemes = ["mailto:", "tel:", "sms:", "javascript:", "data:"]

    private static func isSign(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", ":", "/", "@", "\\": true
        // Full stops, colons, slashes and at signs of other widths and scripts.
        case "\u{3002}", "\u{FF61}", "\u{FE52}", "\u{2024}"..."\u{2026}", "\u{FE6B}": true
        default: (0xFF01...0xFF5E).contains(scalar.value)
        }
    }

    /// `ada@example.org` and `ada@example`; `M@x` is none.
    private static func isEmail(_ word: Substring) -> Bool {
        guard let sign = word.firstIndex(of: "@") else { return false }
        let local = word[..<sign].filter { $0.isLetter || $0.isNumber }
        let domain = word[word.index(after: sign)...]
        let labels = domain.split { $0 == "." || $0 == "\u{3002}" }
        guard !local.isEmpty, labels.allSatisfy({ $0.contains { $0.isLetter || $0.isNumber } }) else { return false }
        return labels.count >= 2 || local.count >= 3 && domain.count >= 3
    }

    /// `www.x`, `t.me/x`, `example.org`. `J.R.`, `Dr.Anna`, `Prof.Li` and `J.de` are none.
    private static func isAddress(_ word: Substring) -> Bool {
        let host = word.prefix { $0 != "/" && $0 != ":" && $0 != "?" && $0 != "#" }
        let labels = host.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "\u{3002}" }
        // A dot at the end is a full stop.
        let named = labels.last == "" ? labels.dropLast() : labels[...]
        guard named.count >= 2, !named.contains(""), let last = named.last else { return false }
        if named.first?.lowercased() == "www" { return true }
        guard last.count >= 2, last.allSatisfy(\.isLetter) else { return false }
        if word[host.endIndex...].hasPrefix("/") { return true }
        let (longest, domain) = (named.dropLast().map(\.count).max() ?? 0, last.lowercased())
        if commonDomains.contains(domain) { return longest >= 2 }
        // A surname after a title begins with a capital.
        let isSurname = last.first?.isUppercase == true && last.dropFirst().allSatisfy(\.isLowercase)
        return countries.contains(domain) && longest >= 3 && !isSurname
    }

    private static let commonDomains: Set<String> = [
        "com", "net", "org", "info", "biz", "app", "dev", "xyz", "link", "site", "online", "club", "shop", "store", "top", "live",
        "life", "love", "date", "dating", "chat", "social", "page", "blog", "website", "space", "world", "mobi", "icu", "fun",
        "sex",
        "porn", "xxx", "edu", "gov", "onion", "tech", "email", "click", "рф", "中国", "香港",
    ]

    /// Countries whose names are common in links. Longer words before them are required: `J.de` may be a name.
    private static let countries: Set<String> = [
        "at", "au", "be", "br", "bz", "ca", "cc", "ch", "cn", "co", "cz", "de", "dk", "es", "eu", "fi", "fm", "fr", "gg", "gl",
        "gr",
        "hu", "ie", "il", "in", "io", "ir", "is", "it", "jp", "ke", "kr", "li", "lt", "lu", "lv", "ly", "me", "mx", "my", "nl",
        "no",
        "nz", "ph", "pl", "pt", "ro", "ru", "se", "sg", "sh", "si", "sk", "th", "tk", "to", "tr", "tv", "tw", "ua", "uk", "us",
        "vn",
        "ws", "za",
    ]
}
