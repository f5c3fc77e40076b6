import Foundation

/// Reads the digits of a folded text: written, spelled in the languages of the push texts and a few more, partly replaced by
/// letters, or spelled without spaces (`zerosevennine`). Linear in the length of the text.
struct SpokenDigits {
    /// The most characters between two digits of one number.
    private static let widestGap = 4

    /// - Parameter text: the plain form of `FoldedContactText`.
    /// - Returns: runs of digits with only separators between them, and whether the text has words that are not numbers.
    static func runs(in text: String) -> (runs: [DigitRun], hasOtherWords: Bool) {
        var reader = SpokenDigits()
        let scalars = text.unicodeScalars.map { withoutAccent($0) }
        var index = 0
        while index < scalars.count {
            let start = index
            while index < scalars.count, isWordScalar(scalars[index]) { index += 1 }
            guard index > start else {
                reader.widen(by: scalars[index])
                index += 1
                continue
            }
            reader.read(scalars[start..<index])
        }
        reader.close()
        return (reader.runs, reader.hasOtherWords)
    }

    private var runs: [DigitRun] = []
    private var run = DigitRun()
    private var gap = ""
    private var gapLength = 0
    private var hasOtherWords = false
    /// How often the next digit counts: twice after "double".
    private var times = 1
    /// The last name was a ten (20, 30, …), which means two digits if no unit follows.
    private var needsZero = false

    private init() {}

    private mutating func close() {
        if needsZero { append(0) }
        if run.count > 0 { runs.append(run) }
        run = DigitRun()
        clearGap()
        (times, needsZero) = (1, false)
    }

    /// A repeated sign counts once.
    private mutating func widen(by sign: Unicode.Scalar) {
        guard gap.unicodeScalars.last != sign else { return }
        gap.unicodeScalars.append(sign)
        gapLength += 1
        if gapLength > Self.widestGap { close() }
    }

    private mutating func clearGap() { (gap, gapLength) = ("", 0) }

    private mutating func append(_ digit: UInt8) {
        for _ in 0..<times {
            run.append(digit, after: gap)
            clearGap()
        }
        times = 1
        needsZero = false
    }

    private mutating func append(_ name: SpokenNames.Name) {
        switch name {
        case .unit(let digit): append(digit)
        case .pair(let ten, let digit):
            if needsZero { appendZero() }
            append(ten)
            append(digit)
        case .ten(let digit):
            if needsZero { appendZero() }
            append(digit)
            needsZero = true
        case .times(let count): times = count
        case .and: needsZero = false
        }
    }

    /// Appends the zero before the gap, directly after its ten.
    private mutating func appendZero() {
        let (kept, length) = (gap, gapLength)
        clearGap()
        append(0)
        (gap, gapLength) = (kept, length)
    }

    private mutating func read(_ word: ArraySlice<Unicode.Scalar>) {
        if let name = SpokenNames.shared.name(word) { return append(name) }
        if Self.fillers.contains(where: { $0.elementsEqual(word) }) { return widen(by: "-") }
        if let digits = Self.digits(of: word) {
            for digit in digits { append(digit) }
            return
        }
        if let chain = SpokenNames.shared.chain(in: word) {
            if chain.start > word.startIndex {
                hasOtherWords = true
                close()
            }
            for name in chain.names { append(name) }
            // `neunundsiebzig` has two digits.
            if chain.hasAnd { needsZero = false }
            if chain.end < word.endIndex {
                hasOtherWords = true
                close()
            }
            return
        }
        // Digits within a word count, too. Those at its end may continue after the word, as in `tel030`.
        hasOtherWords = true
        for scalar in word {
            if let digit = Self.digit(scalar) { append(digit) } else { close() }
        }
    }

    /// Words for the signs between digits.
    private static let fillers = [
        "plus", "minus", "dash", "hyphen", "strich", "bindestrich", "tiret", "guion", "trattino", "streepje",
    ].map {
        Array($0.unicodeScalars)
    }

    // MARK: Characters

    private static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        (0x30...0x39).contains(scalar.value) ? UInt8(scalar.value - 0x30) : nil
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x61...0x7A, 0x41...0x5A: return true
        case ..<0x80: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber, .spacingMark:
            return true
        default: return false
        }
    }

    /// A Latin letter without its accent; any other scalar unchanged.
    static func withoutAccent(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        (0xC0..<0x250).contains(scalar.value) ? plainLetters[Int(scalar.value) - 0xC0] : scalar
    }

    private static let plainLetters: [Unicode.Scalar] = (0xC0..<0x250).map { value in
        guard let scalar = Unicode.Scalar(UInt32(value)) else { return " " }
        if scalar == "ł" { return "l" }
        if scalar == "ß" { return "s" }
        // The canonical decomposition begins with the letter itself.
        return scalar.properties.isAlphabetic ? decomposedFirst(scalar) : scalar
    }

    private static func decomposedFirst(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars.first ?? scalar
    }

    // MARK: Letters for digits

    /// The digits of a word in which letters replace some digits (`o` for 0). Nil for other words.
    private static func digits(of word: ArraySlice<Unicode.Scalar>) -> [UInt8]? {
        var (digits, real, likely): ([UInt8], Int, Int) = ([], 0, 0)
        for scalar in word {
            if let digit = digit(scalar) {
                digits.append(digit)
                real += 1
            } else if let (value, isLikely) = digitLetter(scalar) {
                digits.append(value)
                likely += isLikely ? 1 : 0
            } else if scalar == "x", !digits.isEmpty {
                // `x` separates digits.
                continue
            } else {
                return nil
            }
        }
        guard real > 0 else { return nil }
        // At least half of the characters are digits; or at least a third, if all others look like digits.
        return real * 2 >= digits.count || real * 3 >= digits.count && real + likely == digits.count ? digits : nil
    }

    private static func digitLetter(_ scalar: Unicode.Scalar) -> (UInt8, isLikely: Bool)? {
        switch scalar {
        case "o": (0, true)
        case "l", "i": (1, true)
        case "z": (2, true)
        case "s": (5, true)
        case "b": (8, true)
        case "e": (3, false)
        case "a": (4, false)
        case "t": (7, false)
        case "g", "q": (9, false)
        default: nil
        }
    }
}

/// The names of numbers, stored as a trie.
struct SpokenNames: Sendable {
    enum Name: Sendable {
        case unit(UInt8)
        case pair(UInt8, UInt8)
        /// 20, 30 and so on. A unit may follow.
        case ten(UInt8)
        case times(Int)
        /// The "and" within a number, as in `neunundsiebzig`.
        case and
    }

    /// Names of numbers in a word, with nothing between them.
    struct Chain {
        let names: [Name]
        let start: Int
        let end: Int
        let hasAnd: Bool
    }

    static let shared = SpokenNames()

    private struct Node: Sendable {
        var next: [UInt32: Int] = [:]
        var name: Name?
    }

    private var nodes = [Node()]
    /// A chain has at least three names, or two that fill a word of at least seven letters.
    private static let (fewestNames, fewestLettersOfPair) = (3, 7)

    private init() {
        for language in Self.units { add(language) { .unit(UInt8(clamping: $0)) } }
        for language in Self.teens { add(language) { .pair(1, UInt8(clamping: $0)) } }
        for language in Self.tens { add(language) { .ten(UInt8(clamping: $0 + 2)) } }
        for (count, words) in [
            "", "", "double doppel doppelt doble doppio dobro dubbel dubbelt", "triple triplo drievoudig trippel",
        ].enumerated() {
            for word in words.split(separator: " ") { insert(word, .times(count)) }
        }
        for word in ["und", "en"] { insert(word[...], .and) }
        for digit in 0...9 { insert("\(digit)", .unit(UInt8(clamping: digit))) }
    }

    private mutating func add(_ language: String, _ name: (Int) -> Name) {
        for (value, words) in language.split(separator: " ").enumerated() {
            for word in words.split(separator: "/") { insert(word, name(value)) }
        }
    }

    private mutating func insert(_ word: Substring, _ name: Name) {
        var node = 0
        for scalar in word.unicodeScalars {
            let value = SpokenDigits.withoutAccent(scalar).value
            if let next = nodes[node].next[value] {
                node = next
            } else {
                nodes.append(Node())
                nodes[node].next[value] = nodes.count - 1
                node = nodes.count - 1
            }
        }
        if nodes[node].name == nil { nodes[node].name = name }
    }

    /// The number that a whole word spells.
    func name(_ word: ArraySlice<Unicode.Scalar>) -> Name? {
        var node = 0
        for scalar in word {
            guard let next = nodes[node].next[scalar.value] else { return nil }
            node = next
        }
        if case .and? = nodes[node].name { return nil }
        return nodes[node].name
    }

    /// The longest chain of names in a word, at least one of which is spelled with letters.
    func chain(in word: ArraySlice<Unicode.Scalar>) -> Chain? {
        guard word.count >= Self.fewestNames else { return nil }
        let letters = Array(word)
        // For the best chain that ends before each letter: its number of names, and where its last name begins.
        var counts = [Int](repeating: 0, count: letters.count + 1)
        var steps = [(from: Int, name: Name)?](repeating: nil, count: letters.count + 1)
        var best = 0
        for start in letters.indices {
            var (node, index) = (0, start)
            while index < letters.count, let next = nodes[node].next[letters[index].value] {
                node = next
                index += 1
                guard let name = nodes[node].name else { continue }
                if case .and = name, counts[start] == 0 { continue }
                if counts[start] + 1 > counts[index] {
                    counts[index] = counts[start] + 1
                    steps[index] = (start, name)
                    if counts[index] > counts[best] { best = index }
                }
            }
        }
        var (names, index, hasAnd, letterCount): ([Name], Int, Bool, Int) = ([], best, false, 0)
        while let step = steps[index] {
            names.append(step.name)
            if case .and = step.name { hasAnd = true }
            if letters[step.from].value > 0x39 { letterCount += 1 }
            index = step.from
        }
        let isWhole = index == 0 && best == letters.count && letters.count >= Self.fewestLettersOfPair
        guard letterCount > 0, names.count >= Self.fewestNames || names.count == 2 && isWhole else { return nil }
        return Chain(names: names.reversed(), start: word.startIndex + index, end: word.startIndex + best, hasAnd: hasAnd)
    }

    /// 0 to 9 in each language. Slashes separate the words for one number.
    private static let units = [
        "zero/oh/nought one two three four five six seven eight nine",
        "null/nul eins/eine/ein zwei/zwo drei vier fünf/fuenf sechs sieben acht neun",
        "zéro un/une deux trois quatre cinq six sept huit neuf", "cero uno/una dos tres cuatro cinco seis siete ocho nueve",
        "zero uno due tre quattro cinque sei sette otto nove", "zero um/uma dois/duas três quatro cinco seis/meia sete oito nove",
        "ноль/нуль один/раз два/две три четыре пять шесть семь восемь девять",
        "nul een/één twee drie vier vijf zes zeven acht negen",
        "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć", "noll ett två tre fyra fem sex sju åtta nio",
        "rei/maru ichi ni san yon/shi go roku nana/shichi hachi kyu/kyuu/ku", "ゼロ/れい/まる いち に さん よん/し ご ろく なな/しち はち きゅう/く",
        "ゼロ/レイ/マル イチ ニ サン ヨン/シ ゴ ロク ナナ/シチ ハチ キュウ/ク", "영/공 일 이 삼 사 오 육/륙 칠 팔 구", "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    ]
    /// 10 to 19 in each language.
    private static let teens = [
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "zehn elf zwölf/zwoelf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "dix onze douze treize quatorze quinze seize dixsept dixhuit dixneuf",
        "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
        "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
        "dez onze doze treze catorze/quatorze quinze dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove",
        "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien",
        "dziesięć jedenaście dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście",
        "tio elva tolv tretton fjorton femton sexton sjutton arton nitton",
    ]
    /// 20 to 90 in each language, in steps of ten.
    private static let tens = [
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "zwanzig dreißig/dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
        "vingt trente quarante cinquante soixante septante octante/huitante nonante",
        "veinte/veinti treinta cuarenta cincuenta sesenta setenta ochenta noventa",
        "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
        "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
        "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
        "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt",
        "tjugo trettio fyrtio femtio sextio sjuttio åttio nittio",
    ]
}
