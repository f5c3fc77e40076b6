/// Decides which Unicode scalars a visible text may have, each in its context. Pure, in linear time.
enum ScalarRules {
    /// Checks every scalar of a composed text.
    /// - Parameter form: A line has no line ends and no isolates, and each of its words begins with a letter or symbol. A name
    ///   is also written in one script.
    /// - Returns: True if something is visible: in a line a letter, digit or symbol; in lines, punctuation is enough.
    static func check(_ scalars: [Unicode.Scalar], _ form: TextRule.Form) throws(TextRule.Fault) -> Bool {
        var state = State(form)
        for index in scalars.indices {
            try state.take(
                scalars[index], before: index > 0 ? scalars[index - 1] : nil,
                after: index + 1 < scalars.count ? scalars[index + 1] : nil, at: index, in: scalars)
        }
        try state.end()
        if form == .name, !ScriptSet.isOneWriting(scalars) { throw .mixed }
        return state.isVisible
    }

    /// True if a scalar is allowed everywhere, because it is visible or a space.
    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .nonspacingMark,
            .spacingMark, .enclosingMark:
            return false
        default: return !blanks.contains(scalar.value)
        }
    }

    /// Letters and symbols without a visible shape.
    private static let blanks: Set<UInt32> = [
        0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0, 0x1D159, 0xFFFC, 0x13441, 0x13442, 0x17B4, 0x17B5,
    ]

    private struct State {
        let isLine: Bool
        private let isName: Bool
        var isVisible = false
        /// The scalar that the next mark attaches to; nil if there is none.
        private var base: Unicode.Scalar?
        /// The number of nonspacing marks on it, including those composed with it.
        private var marks = 0
        /// The last of those marks.
        private var lastMark: Unicode.Scalar?
        /// True if the last scalar was the first half of a flag.
        private var isInFlag = false
        /// The number of open isolates (UAX 9).
        private var isolates = 0
        /// The confusable script of the current word.
        private var script: ConfusableScript?
        /// The index up to which a flag's tags are checked.
        private var tagsEnd = 0
        /// Properties of the whole text, computed on first use.
        private var rightToLeft: Bool?
        private var braille: Bool?

        init(_ form: TextRule.Form) { (isLine, isName) = (form != .lines, form == .name) }

        mutating func take(
            _ scalar: Unicode.Scalar, before: Unicode.Scalar?, after: Unicode.Scalar?, at index: Int, in scalars: [Unicode.Scalar]
        ) throws(TextRule.Fault) {
            if index < tagsEnd { return }
            let properties = scalar.properties
            let category = properties.generalCategory
            switch scalar.value {
            case 0x0A:
                guard !isLine else { throw .invisible }
                // An isolate ends with its paragraph, so one that is still open there lacks its closing character.
                guard isolates == 0 else { throw .direction }
                return endWord()
            case 0x09:
                guard !isLine else { throw .invisible }
                return endWord()
            case 0x202A...0x202E: throw .direction
            case 0x2066...0x2068:
                isolates += 1
                guard !isLine, isolates <= 8 else { throw .direction }
                return endCluster()
            case 0x2069:
                isolates -= 1
                guard !isLine, isolates >= 0 else { throw .direction }
                return endCluster()
            case 0x200E, 0x200F, 0x061C:
                // Direction marks are used where a text of one direction contains words of the other.
                guard !isLine, before.map({ !isDirectionMark($0) }) ?? true, hasRightToLeft(scalars) else { throw .direction }
                return endCluster()
            case 0x200C, 0x200D:
                guard joins(scalar.value, before, after) else { throw .invisible }
                return
            case 0x200B:
                // Marks possible line breaks in scripts without spaces.
                guard !isLine, let before, let after, breaksWithoutSpaces(before), breaksWithoutSpaces(after) else {
                    throw .invisible
                }
                return endCluster()
            case 0xFE00...0xFE0F, 0xE0100...0xE01EF:
                guard let before, selects(scalar.value, before) else { throw .invisible }
                return
            case 0x180B...0x180F:
                guard let before, (0x1820...0x18AA).contains(before.value) else { throw .invisible }
                return
            case 0x1F1E6...0x1F1FF:
                // Two of them are a flag; a single one is a letter in a box.
                let isSecond = isInFlag
                guard isSecond || after.map({ isRegional($0) }) == true else { throw .invisible }
                isInFlag = !isSecond
            case 0x1F3F4:
                if after.map({ isTag($0) }) == true {
                    guard let length = subdivisionFlag(at: index, in: scalars) else { throw .invisible }
                    tagsEnd = index + length
                }
            case 0x2800:
                // The empty cell is the space of braille; in other texts it is blank.
                guard !isLine, hasBraille(scalars) else { throw .invisible }
                return endWord()
            default:
                guard !blanks.contains(scalar.value) else { throw .invisible }
            }
            switch category {
            case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: throw .invisible
            case .format:
                // Signs that precede a number are visible.
                guard !isLine, !properties.isDefaultIgnorableCodePoint, isPrependedMark(scalar.value) else { throw .invisible }
                base = scalar
                marks = 0
            case .spaceSeparator: endWord()
            case .nonspacingMark, .enclosingMark:
                guard !properties.isDefaultIgnorableCodePoint else { throw .invisible }
                guard let base, !isName || takesMarks(base, scalar) else { throw .marks }
                marks += 1
                guard marks <= mostMarks(of: scalar.value, on: base, inName: isName) else { throw .marks }
                // The same mark twice in a row looks like one mark (UTS 39, section 5.4).
                let order = properties.canonicalCombiningClass.rawValue
                if order == 1 || order > 9, scalar == lastMark { throw .marks }
                lastMark = scalar
            case .spacingMark:
                guard let base, !isName || takesMarks(base, scalar) else { throw .marks }
            default:
                guard !properties.isDefaultIgnorableCodePoint else { throw .invisible }
                base = scalar
                marks = 0
                lastMark = nil
                if let composed = composedMarks(of: scalar) { (marks, lastMark) = composed }
                try read(scalar, category)
            }
        }

        private mutating func hasRightToLeft(_ scalars: [Unicode.Scalar]) -> Bool {
            let found = rightToLeft ?? scalars.contains(where: isRightToLeft)
            rightToLeft = found
            return found
        }

        private mutating func hasBraille(_ scalars: [Unicode.Scalar]) -> Bool {
            let found = braille ?? scalars.contains { (0x2801...0x28FF).contains($0.value) }
            braille = found
            return found
        }

        func end() throws(TextRule.Fault) {
            guard isolates == 0 else { throw .direction }
        }

        private mutating func endWord() {
            script = nil
            endCluster()
        }

        /// After a space or an invisible character a mark has nothing to attach to.
        private mutating func endCluster() {
            base = nil
            marks = 0
            lastMark = nil
        }

        /// Handles a visible scalar.
        private mutating func read(
            _ scalar: Unicode.Scalar, _ category: Unicode.GeneralCategory
        ) throws(TextRule.Fault) {
            switch category {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
                isVisible = true
                if isName, isStyled(scalar) { throw .styled }
                guard isLine, let new = ConfusableScript(scalar.value) else { return }
                if let script, script != new { throw .mixed }
                script = new
            case .decimalNumber, .letterNumber, .otherNumber, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
                isVisible = true
                if isName, isStyled(scalar) { throw .styled }
            default:
                // Punctuation alone can be a message, but not a name.
                if !isLine { isVisible = true }
                script = nil
            }
        }
    }

    /// Scripts whose letters look alike. A word may have letters of only one of them.
    private enum ConfusableScript {
        case latin, greek, cyrillic

        init?(_ value: UInt32) {
            switch value {
            case 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x24F, 0x1E00...0x1EFF: self = .latin
            case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
            case 0x400...0x52F, 0x1C80...0x1C8F, 0xA640...0xA69F: self = .cyrillic
            default: return nil
            }
        }
    }

    private static func isRegional(_ scalar: Unicode.Scalar) -> Bool { (0x1F1E6...0x1F1FF).contains(scalar.value) }

    /// The number of marks that a composed letter contains, and the last of them; nil for a letter without marks.
    private static func composedMarks(of scalar: Unicode.Scalar) -> (Int, Unicode.Scalar?)? {
        switch scalar.value {
        // Latin, Greek and Cyrillic letters. Other letters are composed with at most one mark.
        case 0xC0...0x1FF, 0x200...0x24F, 0x370...0x52F, 0x1E00...0x1FFF: break
        default: return nil
        }
        var (count, last): (Int, Unicode.Scalar?) = (0, nil)
        for part in TextRule.decomposed(String(scalar)).unicodeScalars.dropFirst() {
            count += 1
            last = part
        }
        return count == 0 ? nil : (count, last)
    }

    /// True if a letter, digit or symbol is a mathematical, circled, raised or otherwise decorated form of another one.
    private static func isStyled(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0x2B0: return false
        // Modifier letters and phonetic small capitals; counters in circles, boxes and brackets; raised and lowered letters.
        case 0x2B0...0x2B8, 0x2E0...0x2E4, 0x1D00...0x1DBF, 0x2070...0x209F, 0x2460...0x24FF, 0x2776...0x2793, 0x10780...0x107BA:
            return true
        // Letters in boxes, except the buttons among the emoji.
        case 0x1F100...0x1F1AD: return !scalar.properties.isEmojiPresentation
        case 0x2100...0x218F, 0x2C7C...0x2C7D, 0xA770, 0xA7F2...0xA7F9, 0xAB5C...0xAB69, 0xFB00...0xFB06, 0x1D400...0x1D7FF,
            0x1EE00...0x1EEFF, 0x1FBF0...0x1FBF9:
            guard scalar.properties.generalCategory != .otherSymbol else { return false }
            let text = String(scalar)
            return TextRule.compatible(text) != TextRule.composed(text)
        default: return false
        }
    }

    /// True if a mark in a name has a letter or digit under it. A keycap also goes around `#` and `*`.
    private static func takesMarks(_ base: Unicode.Scalar, _ mark: Unicode.Scalar) -> Bool {
        switch base.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber:
            true
        default: mark.value == 0x20E3 && (base == "#" || base == "*")
        }
    }

    /// The most marks that scripts put on one letter: four by default, three on a letter of a name.
    private static func mostMarks(of mark: UInt32, on base: Unicode.Scalar, inName: Bool) -> Int {
        switch (mark, base.value) {
        // Points and cantillation; vowels and Quranic signs; medials, vowels and tones; stacked letters.
        case (0x591...0x5C7, 0x5D0...0x5F2): 6
        case (0x610...0x6ED, 0x620...0x6FF), (0x6ED, _): 5
        case (0x1000...0x109F, 0x1000...0x109F): 6
        case (0x1780...0x17DD, 0x1780...0x17DD): 5
        case (0xF18...0xFC6, 0xF00...0xFFF): 8
        case (0xE31...0xE4E, _), (0xEB1...0xECD, _): 3
        case (0x300...0x36F, 0x41...0x52F), (0x300...0x36F, 0x1E00...0x1FFF): inName ? 3 : 4
        default: 4
        }
    }

    /// True if a joiner or non-joiner has an effect in its context.
    private static func joins(_ joiner: UInt32, _ before: Unicode.Scalar?, _ after: Unicode.Scalar?) -> Bool {
        guard let before else { return false }
        // After a virama: how a conjunct is drawn (RFC 5892, appendix A).
        if before.properties.canonicalCombiningClass.rawValue == 9 { return true }
        // Before a virama and after a letter: in Bengali it keeps a ra whole.
        if let after, after.properties.canonicalCombiningClass.rawValue == 9 {
            return before.properties.generalCategory == .otherLetter
        }
        if joiner == 0x200D, let after, isPictograph(before) || before.value == 0xFE0F || before.properties.isEmojiModifier {
            return isPictograph(after)
        }
        guard isCursive(before) else { return false }
        // Persian separates words with it; Kurdish words and dates end with a joined heh.
        if let after, isCursive(after) { return joiner == 0x200C }
        return before.value == 0x647 && after?.value != 0x200C && after?.value != 0x200D
    }

    private static func isPictograph(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0xA9 && scalar.properties.isEmoji
    }

    /// Letters and marks of scripts whose letters join: Arabic, Syriac, N'Ko, Mongolian.
    private static func isCursive(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x620...0x65F, 0x66E...0x6D3, 0x6D5...0x6DC, 0x6FA...0x74F, 0x750...0x7FF, 0x860...0x88F, 0x8A0...0x8FF,
            0x1820...0x18AA:
            true
        default: false
        }
    }

    private static func isDirectionMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value == 0x200E || scalar.value == 0x200F || scalar.value == 0x61C
    }

    private static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x5D0...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFC, 0x10800...0x10FFF, 0x1E800...0x1EFFF: scalar.value != 0x61C
        default: false
        }
    }

    private static func breaksWithoutSpaces(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xE01...0xE4E, 0xE81...0xEDF, 0xF00...0xFFF, 0x1000...0x109F, 0x1780...0x17DD, 0x1A20...0x1AAD, 0x3040...0x30FF,
            0x4E00...0x9FFF:
            true
        default: false
        }
    }

    private static func selects(_ selector: UInt32, _ before: Unicode.Scalar) -> Bool {
        switch selector {
        case 0xFE0E, 0xFE0F: before.properties.isEmoji
        case 0xE0100...0xE01EF: before.properties.isIdeographic
        default:
            before.properties.isIdeographic || before.properties.generalCategory == .mathSymbol
                || (0x1000...0x109F).contains(before.value) || (0xA840...0xA877).contains(before.value)
        }
    }

    private static func isPrependedMark(_ value: UInt32) -> Bool {
        switch value {
        case 0x600...0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD: true
        default: false
        }
    }

    private static func isTag(_ scalar: Unicode.Scalar) -> Bool { (0xE0020...0xE007F).contains(scalar.value) }

    /// The flags of subdivisions that Unicode recommends: England, Scotland, Wales.
    private static let subdivisions = ["gbeng", "gbsct", "gbwls"].map { name in
        name.unicodeScalars.map { 0xE0000 + $0.value } + [0xE007F]
    }

    /// - Returns: how many scalars the flag has; nil for tags that are none.
    private static func subdivisionFlag(at index: Int, in scalars: [Unicode.Scalar]) -> Int? {
        let tags = scalars[(index + 1)...].prefix(while: isTag).map(\.value)
        return subdivisions.contains(tags) ? tags.count + 1 : nil
    }
}
