import SparkCore

/// A text prepared for the search for contact details: plain lower-case letters and digits, spelled separators and digits
/// replaced, single letters joined into words. Linear in the length of the text.
struct FoldedContactText: Sendable {
    /// The words, split at white space.
    let words: [Substring]
    /// The whole text, each character in its plain form.
    let plain: String
    /// The whole text without white space.
    let compact: String
    let digits: [DigitRun]
    /// Whether the text has words that are not numbers.
    let hasOtherWords: Bool

    init(_ text: String) {
        let plain = Self.plain(text)
        let tokens = plain.split(whereSeparator: \.isWhitespace)
        let joined = Self.joinAddresses(Self.joinSingles(tokens))
        words = joined.map { Substring($0) } + tokens.filter { $0.contains(".") || $0.contains("@") }
        self.plain = plain
        compact = tokens.joined()
        (digits, hasOtherWords) = SpokenDigits.runs(in: plain)
    }

    // MARK: Characters

    /// Folds compatibility forms, case, marks, invisible characters, digits of all scripts, and look-alike letters in Latin
    /// words.
    private static func plain(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        // ASCII is its own compatibility form.
        let composed = text.utf8.allSatisfy { $0 < 0x80 } ? text : shaped(TextRule.compatible(text))
        for scalar in composed.lowercased().unicodeScalars {
            if scalar.isASCII {
                result.append(scalar)
                continue
            }
            let properties = scalar.properties
            if properties.isDefaultIgnorableCodePoint || isMark(properties.generalCategory) { continue }
            if let number = number(scalar) {
                if number > 9 { result.append(digit(number / 10)) }
                result.append(digit(number % 10))
            } else if let sign = signs[scalar] {
                result.append(sign)
            } else {
                // An accented letter becomes the plain letter.
                result.append(lookalikes[scalar] ?? scalar)
            }
        }
        let decoded = withoutEscapes(String(result))
        return latinWords(decoded, original: composed)
    }

    private static func isMark(_ category: Unicode.GeneralCategory) -> Bool {
        switch category {
        case .nonspacingMark, .enclosingMark, .format, .control: true
        default: false
        }
    }

    /// Decodes percent-encoded ASCII (RFC 3986, section 2.1), which may itself be encoded once or twice more.
    private static func withoutEscapes(_ text: String) -> String {
        var text = text
        for _ in 0..<3 {
            guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
            var (bytes, isChanged): ([UInt8], Bool) = ([], false)
            let source = Array(text.utf8)
            var index = 0
            while index < source.count {
                if source[index] == UInt8(ascii: "%"), index + 2 < source.count, let high = hexadecimal(source[index + 1]),
                    let low = hexadecimal(source[index + 2]), (0x21...0x7E).contains(high * 16 + low)
                {
                    let byte = high * 16 + low
                    bytes.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                    (index, isChanged) = (index + 3, true)
                } else {
                    bytes.append(source[index])
                    index += 1
                }
            }
            guard isChanged else { return text }
            text = String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    private static func digit(_ value: UInt8) -> Unicode.Scalar { Unicode.Scalar(UInt8(ascii: "0") + value) }

    /// Replaces letters in filled circles and boxes, small capitals, and letters of scripts derived from Latin shapes by Latin
    /// letters. Regional indicators become one sign, because walking backwards over flag characters takes quadratic time.
    private static func shaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case ..<0x250: result.append(scalar)
            case 0x1F150...0x1F169: result.append(letter(scalar.value - 0x1F150))
            case 0x1F170...0x1F189: result.append(letter(scalar.value - 0x1F170))
            case 0x1F1E6...0x1F1FF: result.append("⚑")
            default: result.append(shapes[scalar] ?? scalar)
            }
        }
        return String(result)
    }

    private static func letter(_ index: UInt32) -> Unicode.Scalar { Unicode.Scalar(UInt8(ascii: "a") + UInt8(index % 26)) }

    private static let shapes = letters(
        """
        ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz
        ꓮa ꓐb ꓚc ꓓd ꓰe ꓝf ꓖg ꓧh ꓲi ꓙj ꓗk ꓡl ꓟm ꓠn ꓳo ꓑp ꓣr ꓢs ꓔt ꓴu ꓦv ꓪw ꓫx ꓬy ꓜz
        ᎠD ᎡR ᎢT ᎪA ᎫJ ᎬE ᎳW ᎷM ᎻH ᎽY ᏀG ᏃZ ᏒR ᏕS ᏙV ᏚS ᏞL ᏟC ᏢP ᏦK ᏴB
        ꭰD ꭱR ꭲT ꭺA ꭻJ ꭼE ꮃW ꮇM ꮋH ꮍY ꮐG ꮓZ ꮢR ꮥS ꮩV ꮪS ꮮL ꮯC ꮲP ꮶK ᏼB
        """)

    private static func letters(_ pairs: String) -> [Unicode.Scalar: Unicode.Scalar] {
        var letters: [Unicode.Scalar: Unicode.Scalar] = [:]
        for pair in pairs.split(whereSeparator: \.isWhitespace) {
            let scalars = Array(pair.unicodeScalars)
            if scalars.count == 2 { letters[scalars[0]] = scalars[1] }
        }
        return letters
    }

    /// The value of a digit in any script, a circled number or counting rod below one hundred, or a Chinese digit.
    private static func number(_ scalar: Unicode.Scalar) -> UInt8? {
        if let value = chineseDigits[scalar] { return value }
        if scalar.value == 0x1F51F { return 10 }
        let properties = scalar.properties
        guard let type = properties.numericType, let value = properties.numericValue, value == value.rounded() else { return nil }
        switch type {
        case .decimal, .digit: return (0...9).contains(value) ? UInt8(value) : nil
        // Circled numbers and counting rods. Letters that are also numbers stay letters.
        case .numeric: return properties.generalCategory == .otherNumber && (0...99).contains(value) ? UInt8(value) : nil
        @unknown default: return nil
        }
    }

    private static let chineseDigits: [Unicode.Scalar: UInt8] = [
        "〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "壹": 1, "貳": 2, "贰": 2, "叁": 3,
        "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9, "幺": 1, "两": 2,
    ]

    /// Signs that look like a full stop, an at sign, a slash or a dash.
    private static let signs: [Unicode.Scalar: Unicode.Scalar] = {
        var signs: [Unicode.Scalar: Unicode.Scalar] = [:]
        for scalar in "。․‧•·∙⋅●٫۔・ꓸ܁܂⸳⸱◦∘○⚫⏺⬤▪᛫ᐧ⦁°॰։᠃෴𐩐⊙◉⸰﹒｡".unicodeScalars { signs[scalar] = "." }
        for scalar in "–—‐‑‒−―⁃─〜~".unicodeScalars { signs[scalar] = "-" }
        for scalar in "⁄∕⧸╱⟋".unicodeScalars { signs[scalar] = "/" }
        for scalar in "，،、".unicodeScalars { signs[scalar] = "," }
        for scalar in "：∶꞉ː".unicodeScalars { signs[scalar] = ":" }
        return signs
    }()

    /// Letters that look like Latin ones, in lower case. A word without any Latin letter gets its original letters back.
    private static let lookalikes = letters(
        """
        аa вb сc ԁd еe нh іi јj кk мm оo рp ѕs тt уy хx з3 αa οo νv ρp τt ιi κk χx εe υu ηn ωw ɡg ıi øo łl ɑa օo սu հh ոn ցg զq յj
        """)

    /// Undoes the look-alike folding in words that had no Latin letter and no digit, so that a Russian sentence without a space
    /// after its full stop is not read as an address.
    private static func latinWords(_ folded: String, original: String) -> String {
        guard original.utf8.contains(where: { $0 >= 0x80 }) else { return folded }
        var result = ""
        let kept = original.lowercased().split(whereSeparator: \.isWhitespace)
        let words = folded.split(whereSeparator: \.isWhitespace)
        // Folding never removes white space but may remove a whole word. Then the words cannot be paired, and the folded text is
        // used.
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

    /// Joins four or more single letters in a row into one word: `g m a i l . c o m`.
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

    /// Joins the parts of an address that spaces, brackets or words separate: `me (at) example [dot] com`, `example . com`,
    /// `me at gmail`.
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
            let isDot = word == "." || word == purposeDot || dotWords.contains(word)
            if isDot, let next, isEnding(next, of: last, isOnPurpose: word == purposeDot, isLast: index + 2 >= words.count) {
                result[result.count - 1] += "." + next
                index += 2
            } else if word.hasPrefix("."), word.count > 2,
                isEnding(word.dropFirst(), of: last, isOnPurpose: false, isLast: index + 1 >= words.count)
            {
                result[result.count - 1] += word
                index += 1
            } else if word == "@" || last.hasSuffix("@") || word.hasPrefix("@") && word.dropFirst().contains(".") {
                result[result.count - 1] += word
                index += 1
            } else if atWords.contains(word), let next, isMailHost(next, after: word, then: words[(index + 2)...].prefix(2)) {
                result[result.count - 1] += "@"
                index += 1
            } else if last.hasSuffix("."), last.count > 1,
                ContactDetails.isCommonEnding(lettersOf(Substring(word)))
                    || isAddressStart(last) && isLastEnding(word, index, words)
            {
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
            // A comma in place of the full stop.
            guard let comma = word.lastIndex(of: ","), comma > word.startIndex else { return word }
            let ending = word[word.index(after: comma)...]
            let isEnding =
                ContactDetails.isCommonEnding(ending) || isAddressStart(String(word[..<comma])) && ContactDetails.isEnding(ending)
            return isEnding ? word[..<comma] + "." + ending : word
        }
    }

    private static func lettersOf(_ word: Substring) -> Substring { word.prefix(while: \.isLetter) }

    /// Whether a word has a dot and ends in a plain ending, as in `co.uk`.
    private static func ends(_ word: Substring) -> Bool {
        word.split(separator: ".").last.map { ContactDetails.isPlainEnding(lettersOf($0)) && word.contains(".") } ?? false
    }

    /// A deliberate dot: one in brackets or between dashes. This character does not occur in folded text.
    private static let purposeDot = "\u{FF0E}"

    /// Whether a dot between two words belongs to an address.
    private static func isEnding(_ next: Substring, of name: String, isOnPurpose: Bool, isLast: Bool) -> Bool {
        let letters = lettersOf(next)
        if ContactDetails.isPlainEnding(letters) || ends(next) { return true }
        if ContactDetails.isShortHost(name[...], letters) { return true }
        if isOnPurpose { return letters.utf8.count >= 2 }
        return isAddressStart(name) && ContactDetails.isEnding(letters) && (isLast || !ContactDetails.isSentenceWord(letters))
    }

    private static func isLastEnding(_ word: String, _ index: Int, _ words: [String]) -> Bool {
        let letters = lettersOf(word[...])
        return ContactDetails.isEnding(letters) && (index + 1 >= words.count || !ContactDetails.isSentenceWord(letters))
    }

    /// Whether a name follows the at sign of a word.
    private static func isAddressStart(_ word: String) -> Bool {
        guard let at = word.firstIndex(of: "@") else { return false }
        return word[word.index(after: at)...].contains { $0.isLetter || $0.isNumber }
    }

    private static func isMailHost(_ word: Substring, after at: String, then following: ArraySlice<String>) -> Bool {
        let host = word.prefix { $0.isLetter || $0.isNumber || $0 == "-" }
        if ContactDetails.isMailProvider(host) { return true }
        if word.contains("."), ends(word) { return true }
        guard let dot = following.first, let ending = following.dropFirst().first else { return false }
        let letters = lettersOf(ending[...])
        if dotWords.contains(dot) || dot == ".", ContactDetails.isPlainEnding(letters) { return true }
        // Any ending after a spelled dot, except for word pairs that also occur in sentences.
        guard dot == purposeDot || dotWords.contains(dot) && !(at == "at" && (dot == "point" || dot == "punt")) else {
            return false
        }
        return ContactDetails.isEnding(letters)
    }

    private static let dotWords: Set<String> = [
        "dot", "punkt", "point", "punto", "ponto", "punt", "kropka", "точка", "точкa", "nokta", "ドット", "점", "点",
    ]
    private static let atWords: Set<String> = [
        "at", "ät", "arroba", "arobase", "chiocciola", "klammeraffe", "собака", "małpa", "malpa", "apenstaartje", "snabel-a",
        "アットマーク",
        "アット", "골뱅이",
    ]

    private static let brackets: Set<Character> = ["(", ")", "[", "]", "{", "}", "<", ">"]
    private static let dashes: Set<Character> = ["-", "_", "*"]

    /// Splits a word at separators in brackets or between dashes: `me[at]example` becomes `me`, `@`, `example`.
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
        return dotWords.contains(String(text)) || inBrackets && text == "." ? purposeDot : nil
    }
}
