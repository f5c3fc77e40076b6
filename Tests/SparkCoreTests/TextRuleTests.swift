import SparkCore
import Testing

@Suite("Visible text") struct TextRuleTests {
    static let names = [
        "Ada", "عمر", "O\u{2019}Neill", "क्\u{200D}ष", "👩\u{200D}👧 Ana", "Jean-Luc", "María José", "Нина", "李小龙", "A. B.",
        "Nguyễn Thị Ánh", "می\u{200C}خواهم", "ئاره\u{200C}", "ทิพย์ น้ำ", "ကျွှေး", "Zoë", "מֹשֶׁה",
        "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "❤\u{FE0F}", "1\u{FE0F}\u{20E3}",
        "👁\u{FE0F}\u{200D}🗨\u{FE0F}", "邊\u{E0100}", "김민준", "D'Arcy", "Łukasz", "བོད་སྐད་", "ශ්\u{200D}රී", "Σωκράτης",
        "র\u{200D}\u{9CD}যাব", "X Æ A-12", "李 Li", "Mary-Jane O'Neil (MJ)", "🇩🇪 Max", "Ó", "$$$",
        "👨🏿\u{200D}👩🏿\u{200D}👧🏿\u{200D}👦🏿",
    ]

    @Test("real names are accepted and stored unchanged", arguments: names)
    func name(_ name: String) throws {
        let normal = try TextRule.name.normalised(name)
        #expect(normal == name)
        #expect(try TextRule.name.normalised(normal).unicodeScalars.elementsEqual(normal.unicodeScalars))
    }

    static let noNames: [(String, TextRule.Fault)] = [
        ("", .blank), (" \u{A0}\u{3000}", .blank), ("...", .blank), ("\u{200B}\u{200B}\u{200D}", .invisible),
        ("\u{3164}", .invisible),
        ("\u{2800}", .invisible), ("\u{AD}", .invisible), ("\u{2060}", .invisible), ("\u{115F}", .invisible),
        ("\u{1160}", .invisible), ("\u{FFA0}", .invisible), ("\u{17B4}", .invisible), ("\u{FEFF}", .invisible),
        ("\u{E0041}", .invisible), ("\u{180E}", .invisible), ("\u{1D159}", .invisible), ("\u{FFFC}", .invisible),
        ("a\u{34F}b", .invisible), ("a\u{200B}b", .invisible), ("x\u{200D}y", .invisible), ("👩\u{200D}", .invisible),
        ("A\u{FE0F}", .invisible), ("\u{1F3F4}\u{E0067}\u{E0078}\u{E007F}", .invisible), ("Ada\u{2028}x", .invisible),
        ("x\ty", .invisible), ("a\nb", .invisible), ("\u{E000}", .invisible), ("\u{F0000}", .invisible), ("\u{FFFF}", .invisible),
        ("\u{378}", .invisible), ("\u{FFF9}a", .invisible), ("\u{7F}a", .invisible),
        ("\u{85}a\u{85}b", .invisible), ("\u{202E}adA", .direction), ("\u{202A}a\u{202C}", .direction),
        ("A\u{2066}b\u{2069}", .direction), ("a\u{200E}b", .direction), ("\u{61C}a", .direction),
        ("e" + String(repeating: "\u{301}", count: 6), .marks), ("\u{301}a", .marks), ("a \u{301}b", .marks),
        ("ก" + String(repeating: "\u{E47}", count: 4), .marks), ("\u{20E3}", .marks),
        ("a" + String(repeating: "\u{488}", count: 5), .marks), ("\u{410}dmin", .mixed), ("Ρaul", .mixed),
        (String(repeating: "x", count: 51), .length), (String(repeating: "é", count: 51), .length),
        (String(repeating: "👨\u{200D}👩\u{200D}👧\u{200D}👦", count: 40), .length),
    ]

    @Test("text that is invisible, reorders, piles up marks or imitates another name is refused", arguments: noNames)
    func noName(_ text: String, _ fault: TextRule.Fault) {
        #expect(throws: fault) { try TextRule.name.normalised(text) }
    }

    @Test("a name's spaces are single and plain, its letters composed")
    func normalisation() throws {
        #expect(try TextRule.name.normalised(" \tAda\u{A0} \u{3000}Lovelace\n") == "Ada Lovelace")
        #expect(Array(try TextRule.name.normalised("Zoe\u{308}").unicodeScalars).map(\.value) == [0x5A, 0x6F, 0xEB])
        #expect(try TextRule.name.normalised(String(repeating: "é", count: 50)).count == 50)
        #expect(try TextRule.name.normalised(String(repeating: "e\u{301}", count: 50)).unicodeScalars.count == 50)
        #expect(try TextRule.name.normalised(String(repeating: "क्षि", count: 25)).count <= 50)
    }

    private let text = TextRule(.lines, atMost: 100)

    @Test("a text may have lines and what its script needs")
    func texts() throws {
        for same in [
            "?", "...", " two  spaces ", "a\n\nb\t", "שלום \u{200E}abc\u{200F}", "a\u{2068}عمر\u{2069}b", "ខ្ញុំ\u{200B}ស្រឡាញ់",
            "⠓⠑⠇⠇⠕⠀⠺⠕", "‼\u{FE0F}", "\u{600}١٢",
        ] { #expect(try text.normalised(same) == same) }
        #expect(try text.normalised("a\r\nb\rc\u{2028}d\u{2029}e") == "a\nb\nc\nd\ne")
        #expect(try TextRule.about.normalised(" \n ") == "")
    }

    @Test(
        "a text that is invisible or reorders the text around it is refused",
        arguments: [
            "", " \n ", "\u{200B}", "\u{2800}", "\u{2068}open", "closed\u{2069}", "\u{2067}a\nb\u{2069}", "\u{202D}x\u{202C}",
            "latin\u{200E}", "ש\u{200F}\u{200F}", "vertical\u{B}tab", "null\u{0}", "a\u{AD}b", "\u{301}", "\n\u{301}",
            "z" + String(repeating: "\u{335}\u{321}", count: 4), "ᅠ", "\u{E0061}",
        ])
    func noText(_ refused: String) {
        #expect(throws: TextRule.Fault.self) { try text.normalised(refused) }
    }

    @Test("a reaction is one character that can be seen")
    func reactions() {
        for sign in ["❤️", "👨‍👩‍👧‍👦", "!", "👍🏽", "x", "é", "あ"] { #expect(TextRule.visibleCharacter(sign, atMost: 16) == sign) }
        for sign in [
            "", "ab", " ", "\n", "\r\n", "\u{200B}", "\u{3164}", "\u{2800}", "\u{202E}", "\u{301}", "\u{E000}", "\u{FE0F}",
            "e" + String(repeating: "\u{301}", count: 9), "👩" + String(repeating: "\u{200D}👩", count: 12),
        ] { #expect(TextRule.visibleCharacter(sign, atMost: 16) == nil, "\(sign.unicodeScalars.map(\.value))") }
    }

    @Test(
        "the marks of a letter stand in one order, even after a vowel sign that is two marks",
        arguments: ["\u{F73}", "\u{F75}", "\u{F81}"])
    func splitVowels(_ vowel: String) throws {
        for written in ["b\u{301}\(vowel)", "b\u{59A}\(vowel)\u{301}c", "ཀ\(vowel)", "\u{212A}\u{316}\(vowel)"] {
            let normal = try text.normalised(written)
            #expect(try text.normalised(normal).unicodeScalars.elementsEqual(normal.unicodeScalars))
            #expect(!normal.unicodeScalars.contains { vowel.unicodeScalars.contains($0) })
            let classes = normal.unicodeScalars.map(\.properties.canonicalCombiningClass.rawValue)
            #expect(zip(classes, classes.dropFirst()).allSatisfy { $1 == 0 || $0 <= $1 }, "\(classes)")
        }
        #expect(TextRule.compatible("b\u{301}\(vowel)") == TextRule.composed("b\u{301}\(vowel)"))
    }

    @Test("any text is accepted or refused; an accepted text is its own normal form, and a repair always ends in one")
    func property() {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SplitMix64(seed: seed)
        let tops: [UInt64] = [0x80, 0x300, 0x3000, 0x10000, 0x110000]
        let special = Array(
            "\u{200D}\u{200C}\u{FE0F}\u{301}\u{94D}\u{2066}\u{2069}\u{1F3F4}\u{E0067}👩1 \n\u{A0}ا\u{F73}".unicodeScalars)
        for _ in 0..<20_000 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<chance.next() % 12 {
                if chance.next() % 4 == 0 {
                    scalars.append(special[Int(chance.next() % UInt64(special.count))])
                } else if let scalar = Unicode.Scalar(UInt32(chance.next() % tops[Int(chance.next() % 5)])) {
                    scalars.append(scalar)
                }
            }
            let any = String(scalars)
            for rule in [TextRule.name, .about, text] {
                let repaired = rule.repaired(any)
                for result in [try? rule.normalised(any), repaired.isEmpty ? nil : repaired] {
                    guard let result, !result.isEmpty else { continue }
                    let again = try? rule.normalised(result)
                    #expect(
                        again.map { $0.unicodeScalars.elementsEqual(result.unicodeScalars) } == true,
                        "seed \(seed): \(any.unicodeScalars.map { String($0.value, radix: 16) })")
                    #expect(result.count <= rule.characters && result.unicodeScalars.count <= rule.scalars)
                }
            }
        }
    }

    @Test("a repaired text loses its refused characters and nothing more")
    func repair() {
        #expect(text.repaired("he said \u{202E}abc\u{200B} to me\u{0}") == "he said abc to me")
        #expect(text.repaired("fine") == "fine")
        #expect(text.repaired("\u{200B}") == "")
    }
}
