import SparkCore

/// A text as contact details are looked for in it: in plain lower-case letters and digits, spelled separators and digits replaced,
/// letters that stand alone joined. Linear in the text.
struct FoldedContactText: Sendable {
    /// Parts without white space.
    let words: [Substring]
    /// All of it without white space.
    let compact: String
    let digits: [DigitRun]

    init(_ text: String) {
        let plain = Self.plain(text)
        let tokens = plain.split(whereSeparator: \.isWhitespace)
        let joined = Self.joinAddresses(Self.joinSingles(tokens))
        words = joined.map { Substring($0) } + tokens.filter { $0.contains(".") || $0.contains("@") }
        compact = tokens.joined()
        digits = Self.digitRuns(in: plain)
    }

    // MARK: Characters

    /// Compatibility forms, case, marks, invisible characters, digits of all scripts, and look-alike letters in Latin words.
    private static func plain(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        // ASCII is its own compatibility form.
        let composed = text.utf8.allSatisfy { $0 < 0x80 } ? text : TextRule.compatible(text)
        for scalar in composed.lowercased().unicodeScalars {
            if scalar.isASCII {
                result.append(scalar)
                continue
            }
            let properties = scalar.properties
            if properties.isDefaultIgnorableCodePoint || isMark(properties.generalCategory) { continue }
            if let digit = digit(scalar) {
                result.append(Unicode.Scalar(UInt8(ascii: "0") + digit))
            } else if let sign = signs[scalar] {
                result.append(sign)
            } else {
                // A letter with an accent is the letter.
                result.append(lookalikes[scalar] ?? scalar)
            }
        }
        return latinWords(String(result), original: composed)
    }

    private static func isMark(_ category: Unicode.GeneralCategory) -> Bool {
        switch category {
        case .nonspacingMark, .enclosingMark, .format, .control: true
        default: false
        }
    }

    /// The value of a decimal digit of any script, of a circled one, and of the Chinese ones.
    private static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        if let value = chineseDigits[scalar] { return value }
        switch scalar.properties.numericType {
        case .decimal?, .digit?:
            guard let value = scalar.properties.numericValue, (0...9).contains(value) else { return nil }
            return UInt8(value)
        default: return nil
        }
    }

    private static let chineseDigits: [Unicode.Scalar: UInt8] = [
        "〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "壹": 1, "貳": 2, "贰": 2, "叁": 3,
        "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9, "幺": 1, "两": 2,
    ]

    /// Signs that are drawn for a full stop, an at sign, a slash or a dash.
    private static let signs: [Unicode.Scalar: Unicode.Scalar] = [
        "。": ".", "․": ".", "‧": ".", "•": ".", "·": ".", "∙": ".", "⋅": ".", "●": ".", "٫": ".", "۔": ".", "–": "-", "—": "-",
        "‐": "-", "‑": "-", "‒": "-", "−": "-", "⁄": "/", "∕": "/", "⧸": "/",
    ]

    /// Letters drawn like Latin ones; put back where the word has no Latin letter.
    private static let lookalikes: [Unicode.Scalar: Unicode.Scalar] = [
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "н": "h", "і": "i", "ј": "j", "к": "k", "м": "m", "о": "o", "р": "p",
        "ѕ": "s", "т": "t", "у": "y", "х": "x", "з": "3", "α": "a", "ο": "o", "ν": "v", "ρ": "p", "τ": "t", "ι": "i", "κ": "k",
        "χ": "x", "ε": "e", "υ": "u", "ɡ": "g", "ı": "i", "ø": "o", "ł": "l",
    ]

    /// The words of a folded text. A word that had no Latin letter and no digit of its own is not read as a Latin one: a Russian
    /// sentence without a space after its full stop is no address.
    private static func latinWords(_ folded: String, original: String) -> String {
        guard original.utf8.contains(where: { $0 >= 0x80 }) else { return folded }
        var result = ""
        let kept = original.lowercased().split(whereSeparator: \.isWhitespace)
        let words = folded.split(whereSeparator: \.isWhitespace)
        // Folding removes no white space, but may remove a word whole; then the look-alikes stand.
        guard kept.count == words.count else { return folded }
        for (word, source) in zip(words, kept) {
            let isLatin = source.utf8.contains {
                ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) || ($0 >= 0x30 && $0 <= 0x39)
            }
            if !result.isEmpty { result += " " }
            result += isLatin || word.contains(where: \.isNumber) ? String(word) : String(source)
        }
        return result
    }

    // MARK: Words

    /// Four or more single letters in a row are one word: `g m a i l . c o m`.
    private static func joinSingles(_ tokens: [Substring]) -> [Substring] {
        var (result, run): ([Substring], [Substring]) = ([], [])
        for token in tokens + [""] {
            if token.count == 1 {
                run.append(token)
                continue
            }
            if run.count >= 4 { result.append(Substring(run.joined())) } else { result += run }
            run = []
            if !token.isEmpty { result.append(token) }
        }
        return result
    }

    /// Puts together what spaces, brackets and words have parted: `me (at) example [dot] com`, `example . com`, `me at gmail`.
    private static func joinAddresses(_ tokens: [Substring]) -> [String] {
        let words = tokens.flatMap(bracketedSeparators)
        var result: [String] = []
        var index = 0
        while index < words.count {
            let word = words[index]
            let next = index + 1 < words.count ? Substring(words[index + 1]) : nil
            guard let last = result.last, !last.isEmpty else {
                result.append(word)
                index += 1
                continue
            }
            let isDot = word == "." || dotWords.contains(word)
            if isDot, let next, ContactDetails.isPlainEnding(lettersOf(next)) || ends(next) {
                result[result.count - 1] += "." + next
                index += 2
            } else if word.hasPrefix("."), word.count > 2, ContactDetails.isPlainEnding(lettersOf(word.dropFirst())) {
                result[result.count - 1] += word
                index += 1
            } else if word == "@" || last.hasSuffix("@") || word.hasPrefix("@") && word.dropFirst().contains(".") {
                result[result.count - 1] += word
                index += 1
            } else if atWords.contains(word), let next, isMailHost(next, then: words.dropFirst(index + 2).prefix(2)) {
                result[result.count - 1] += "@"
                index += 1
            } else if last.hasSuffix("."), last.count > 1, ContactDetails.isCommonEnding(lettersOf(Substring(word))) {
                result[result.count - 1] += word
                index += 1
            } else if ContactDetails.isCommonEnding(lettersOf(Substring(word))), ContactDetails.isMailProvider(Substring(last)) {
                result[result.count - 1] += "." + word
                index += 1
            } else {
                result.append(word)
                index += 1
            }
        }
        return result.map { word in
            // A comma for the full stop.
            guard let comma = word.lastIndex(of: ","), comma > word.startIndex else { return word }
            let ending = word[word.index(after: comma)...]
            return ContactDetails.isCommonEnding(ending) ? word[..<comma] + "." + ending : word
        }
    }

    private static func lettersOf(_ word: Substring) -> Substring { word.prefix(while: \.isLetter) }

    /// Whether a label is followed by a further one, as in `co.uk`.
    private static func ends(_ word: Substring) -> Bool {
        word.split(separator: ".").last.map { ContactDetails.isPlainEnding(lettersOf($0)) && word.contains(".") } ?? false
    }

    private static func isMailHost(_ word: Substring, then following: ArraySlice<String>) -> Bool {
        let host = word.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
        if ContactDetails.isMailProvider(host) { return true }
        if word.contains("."), ends(word) { return true }
        guard let dot = following.first, dotWords.contains(dot) || dot == ".", let ending = following.dropFirst().first else {
            return false
        }
        return ContactDetails.isPlainEnding(lettersOf(Substring(ending)))
    }

    private static let dotWords: Set<String> = [
        "dot", "punkt", "point", "punto", "ponto", "punt", "kropka", "точка", "точкa", "nokta",
    ]
    private static let atWords: Set<String> = [
        "at", "ät", "arroba", "arobase", "chiocciola", "klammeraffe", "собака", "małpa", "malpa",
    ]

    private static let brackets: Set<Character> = ["(", ")", "[", "]", "{", "}", "<", ">"]
    private static let dashes: Set<Character> = ["-", "_", "*"]

    /// Takes a word apart where a separator stands in brackets or between dashes: `me[at]example` is `me`, `@`, `example`.
    private static func bracketedSeparators(_ word: Substring) -> [String] {
        guard word.utf8.contains(where: { "()[]{}<>-_*".utf8.contains($0) }) else { return [String(word)] }
        var parts: [(text: Substring, isDelimiter: Bool)] = []
        var rest = word
        while let first = rest.first {
            let isDelimiter = brackets.contains(first) || dashes.contains(first)
            let part = isDelimiter ? rest.prefix(1) : rest.prefix { !brackets.contains($0) && !dashes.contains($0) }
            parts.append((part, isDelimiter))
            rest = rest[part.endIndex...]
        }
        var (result, current, index): ([String], String, Int) = ([], "", 0)
        while index < parts.count {
            let isBracket = parts[index].text.first.map(brackets.contains) ?? false
            if index + 2 < parts.count, parts[index].isDelimiter, parts[index + 2].isDelimiter,
                let separator = separator(parts[index + 1].text, inBrackets: isBracket)
            {
                if !current.isEmpty { result.append(current) }
                result.append(separator)
                current = ""
                index += 3
            } else {
                current += parts[index].text
                index += 1
            }
        }
        return current.isEmpty ? result : result + [current]
    }

    private static func separator(_ text: Substring, inBrackets: Bool) -> String? {
        if atWords.contains(String(text)) || inBrackets && (text == "a" || text == "@") { return "@" }
        return dotWords.contains(String(text)) || inBrackets && text == "." ? "." : nil
    }

    // MARK: Digits

    /// Characters between two digits of one number at most.
    private static let widestGap = 4

    /// Runs of digits, spelled ones included; a word ends a run, and so does a wide gap.
    private static func digitRuns(in text: String) -> [DigitRun] {
        var (runs, run, gap): ([DigitRun], DigitRun, String) = ([], DigitRun(), "")
        func close() {
            if run.count > 0 { runs.append(run) }
            (run, gap) = (DigitRun(), "")
        }
        var rest = Substring(text)
        while let first = rest.first {
            guard first.isLetter || first.isNumber else {
                gap.append(first)
                if gap.count > widestGap { close() }
                rest = rest.dropFirst()
                continue
            }
            let word = rest.prefix { $0.isLetter || $0.isNumber }
            rest = rest[word.endIndex...]
            guard let digits = digits(of: word) else {
                // Digits within a word are numbers too, and those at its end may go on after it, as in tel030.
                for character in word {
                    guard character.isASCII, character.isNumber else {
                        close()
                        continue
                    }
                    run.append(value(character), after: gap)
                    gap = ""
                }
                continue
            }
            for (index, digit) in digits.enumerated() { run.append(digit, after: index == 0 ? gap : "") }
            gap = ""
        }
        close()
        return runs
    }

    private static func value(_ digit: Character) -> UInt8 { UInt8(clamping: digit.wholeNumberValue ?? 0) }

    /// The digits that a word stands for: its own, letters in place of some of them, or a digit's name. Nil for other words.
    private static func digits(of word: Substring) -> [UInt8]? {
        if let spelled = digitNames[word] { return [spelled] }
        var (digits, real): ([UInt8], Int) = ([], 0)
        for character in word {
            if character.isASCII, let value = character.wholeNumberValue {
                digits.append(UInt8(clamping: value))
                real += 1
            } else if let value = digitLetters[character] {
                digits.append(value)
            } else if character == "x", !digits.isEmpty {
                // Written between digits to part them.
                continue
            } else {
                return nil
            }
        }
        return real > 0 && real * 2 >= digits.count ? digits : nil
    }

    private static let digitLetters: [Character: UInt8] = ["o": 0, "l": 1, "i": 1, "z": 2, "s": 5, "b": 8]

    private static let digitNames: [Substring: UInt8] = {
        let languages = [
            "zero one two three four five six seven eight nine", "null eins zwei drei vier fünf sechs sieben acht neun",
            "oh eine zwo drei vier funf sechs sieben acht neun", "zéro un deux trois quatre cinq six sept huit neuf",
            "cero uno dos tres cuatro cinco seis siete ocho nueve", "zero uno due tre quattro cinque sei sette otto nove",
            "zero um dois três quatro cinco seis sete oito nove", "ноль один два три четыре пять шесть семь восемь девять",
            "nul een twee drie vier vijf zes zeven acht negen", "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
        ]
        var names: [Substring: UInt8] = [:]
        for language in languages {
            for (value, word) in language.split(separator: " ").enumerated() {
                names[word] = UInt8(clamping: value)
                names[Substring(Self.plain(String(word)))] = UInt8(clamping: value)
            }
        }
        return names
    }()
}
