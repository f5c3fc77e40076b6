import Foundation
import SparkCore
import Testing

@Suite("Names") struct NameRuleTests {
    /// Names of people, by language.
    static let names: [(language: String, names: [String])] = [
        ("English", ["Ada Lovelace", "O'Brien", "O\u{2019}Neill", "Mary-Jane", "J. R. R.", "X Æ A-12"]),
        ("French", ["Jean-Luc", "Zoë", "Éloïse", "Anaïs d\u{2019}Arc"]),
        ("Spanish", ["María José", "Mª José", "Núñez", "Íñigo"]),
        ("German", ["Jürgen Groß", "Käthe"]), ("Portuguese", ["João", "Conceição"]), ("Polish", ["Łukasz", "Żaneta Ćwięk"]),
        ("Czech", ["Jiří", "Šárka Dvořáková"]), ("Turkish", ["Işıl", "İbrahim Çağrı"]), ("Azerbaijani", ["Əli", "Günəş"]),
        ("Icelandic", ["Þórður", "Æsa"]), ("Vietnamese", ["Nguyễn Thị Ánh", "Trần Đức", "Ỗ Nhữ"]),
        ("Hawaiian", ["\u{2BB}Okina", "Ka\u{2BB}iulani", "Lilinoe K\u{101}\u{2BB}ili"]),
        ("Yoruba", ["Ọláyinká", "Adé\u{323}", "Bọ́lá"]),
        ("Hausa", ["Ɗan Ƙwari"]), ("Romanian", ["Ștefan Țăran"]), ("Latvian", ["Ģirts Ķēniņš"]),
        ("Russian", ["Нина", "Алёна Йонова", "Пётр-Павел"]), ("Ukrainian", ["Їжак Ґалаган", "Мар\u{2019}яна"]),
        ("Kazakh", ["Әсел Құнанбай"]), ("Greek", ["Σωκράτης", "Ἀλέξανδρος", "Μαρία Ὠιδή", "ᾯδε"]),
        ("Armenian", ["Արամ Խաչատրյան"]), ("Georgian", ["ნინო", "გიორგი ბერიძე"]),
        ("Hebrew", ["מֹשֶׁה", "שָׂרָה", "יוסף כהן", "ז\u{5F3}קלין"]), ("Arabic", ["عمر", "مُحَمَّد", "فاطمة الزهراء", "عَبْدُ ٱللّٰه"]),
        ("Persian", ["می\u{200C}خواهم", "علی\u{200C}رضا"]), ("Urdu", ["نُورجہاں"]), ("Kurdish", ["ئاره\u{200C}"]),
        ("Hindi", ["क्\u{200D}ष", "श्रीकृष्ण", "अनिल कुमार", "राजेंद्र"]), ("Marathi", ["ऱ्हाऱ्य"]), ("Bengali", ["রবীন্দ্রনাথ", "র\u{200D}\u{9CD}যাব"]),
        ("Punjabi", ["ਗੁਰਪ੍ਰੀਤ"]), ("Gujarati", ["મોહનદાસ"]), ("Tamil", ["ஸ்ரீநிவாசன்"]), ("Telugu", ["శ్రీనివాస్"]),
        ("Kannada", ["ಕೃಷ್ಣ"]), ("Malayalam", ["ശ്രീജിത്ത്", "രാജന്\u{200D}"]), ("Sinhala", ["ශ්\u{200D}රී"]),
        ("Thai", ["ทิพย์ น้ำ", "สมชาย"]), ("Lao", ["ຄຳ", "ບຸນມີ"]), ("Burmese", ["ကျွှေး", "အောင်ဆန်း"]), ("Khmer", ["សុខា", "ស្រីមុំ"]),
        ("Tibetan", ["བོད་སྐད་", "བསྟན་འཛིན"]), ("Amharic", ["አበበ ቢቂላ"]), ("Korean", ["김민준", "박 서연", "Anna 김"]),
        ("Japanese", ["山田太郎", "田中 Anna", "さくら", "マリア・ホセ", "ジョン・スミス", "佐々木", "Annaちゃん", "Ｔａｒｏ"]),
        ("Chinese", ["李小龙", "李 Li", "歐陽娜娜", "邊\u{E0100}", "𠮷田"]), ("Mongolian", ["Бат-Эрдэнэ"]), ("Cherokee", ["ᏣᎳᎩ"]),
        ("Lisu", ["ꓡꓲ ꓢꓴ"]), ("Tifinagh", ["ⴰⵎⴰⵣⵉⵖ"]), ("N'Ko", ["ߒߞߏ"]), ("Inuktitut", ["ᐃᓄᒃ"]), ("Adlam", ["𞤀𞤣𞤢"]),
        ("Maldivian", ["އަޙްމަދު"]),
        ("signs", ["Ada 👩\u{200D}👧", "Max 🇩🇪", "❤\u{FE0F} Lena", "$$$", "A1"]),
    ]

    @Test("the names of every language are names, and are stored as one form", arguments: names.map(\.language))
    func name(_ language: String) throws {
        for name in Self.names.first(where: { $0.language == language })?.names ?? [] {
            let normal = try TextRule.name.normalised(name)
            #expect(try TextRule.name.normalised(normal) == normal, "\(name)")
            #expect(normal == (name == "Ｔａｒｏ" ? "Taro" : name))
            #expect(normal.utf8.count <= 4 * TextRule.name.scalars)
        }
    }

    @Test("there are enough names of enough languages to say so")
    func enough() {
        #expect(Self.names.count >= 25 && Self.names.flatMap(\.names).count >= 60)
    }

    static let noNames: [(String, TextRule.Fault, [String])] = [
        (
            "two scripts that are not written together", .mixed,
            [
                "ꓮda", "Adꓮ", "Аda", "Adа", "Ꭺda", "AdᎪ", "Ada Нина", "Αda", "DJ Щит", "Adա", "Sarа Smith", "Нина კ",
                "عمر Omar ن",
                "Anna סא", "ꓡꓲ Li", "Ada ٣", "ada ३", "मोहन Mohan", "山Нина", "さくら 김", "Ꮪarah", "Ⲁda", "Ⴀda", "𐐀da", "𝼀ꓮ", "ᗅda",
                "ᚨda",
            ]
        ),
        (
            "letters that dress up others", .styled,
            [
                "𝓐𝓭𝓪", "𝐀𝐝𝐚", "𝕬𝖉𝖆", "𝒜da", "ⒶⒹⒶ", "ⓐⓓⓐ", "🅐🅓🅐", "🄰🄳🄰", "🅰🅳🅰", "🄐🄓🄐", "ᵃᵈᵃ", "ᴬᴰᴬ", "ᴀᴅᴀ", "ℂarl", "ℋans", "Ⅷ",
                "Max ❶",
                "Max ⑴", "Max 𝟙", "ₐₑₒ", "ﬁn", "𞸀𞸁", "⒜da",
            ]
        ),
        (
            "stacks of marks", .marks,
            [
                "A" + String(repeating: "\u{301}", count: 5), "A\u{301}\u{301}", "Á\u{301}", "e\u{301}\u{302}\u{303}\u{304}",
                "Ế\u{303}\u{304}", "Z\u{335}\u{335}", "a\u{489}\u{489}\u{489}\u{489}\u{489}", "\u{301}A", "Ada \u{301}",
            ]
        ),
        (
            "what is not seen, or half of something", .invisible,
            [
                "🇩", "Ada 🇩", "🇩🇪🇫", "🇩 🇪", "\u{378}da", "\u{E0041}da", "\u{E000}da", "\u{F8FF}", "\u{FFFE}x", "\u{10FFFF}x",
                "A\u{AD}da",
                "A\u{200B}da", "A\u{2060}da", "\u{3164}", "A\u{115F}", "\u{FFA0}A", "A\u{180E}da", "A\u{FE0F}da", "A\u{0}da",
                "\u{E0001}da",
            ]
        ),
        (
            "marks without a letter", .marks,
            [
                "-\u{301}Ada", "Ada -\u{301}", "$\u{301}", "Ada \u{A0}\u{301}", "◌\u{301}", "\u{93E}मोहन", "Ada '\u{308}",
                "❤\u{301}",
            ]
        ),
        (
            "numbers", .digits,
            [
                "7", "12345", "0151 2345678", "+49 151 2345678", "+1 (555) 010-0199", "0151/2345678", "٠١٢٣٤", "१२३", "1.2.3.4",
                "1-2-3", "007!",
            ]
        ),
        (
            "links and addresses", .link,
            [
                "https://x.y", "http://example.org", "HTTPS://EXAMPLE.ORG", "ftp://x", "Ada https://x.y", "www.ada", "WWW.ADA.DE",
                "ada.com", "Ada.Com", "ada.example.org", "t.me/ada", "ada.de", "ANNA.DE", "anna.de/x", "Ada (ada.net)",
                "ada@example.org",
                "ada@example", "a@b.c", "mailto:ada", "tel:0151x", "ada。com", "ａｄａ．ｃｏｍ", "пример.рф", "ada.com.", "ada.io:80",
                "javascript:x",
            ]
        ),
        ("marks of direction", .direction, ["\u{202E}adA", "A\u{200F}da", "A\u{2067}da\u{2069}", "\u{200E}Ada", "A\u{61C}da"]),
        (
            "long ones", .length,
            [
                String(repeating: "a", count: 51), String(repeating: "山", count: 51),
                String(repeating: "a\u{323}\u{302}", count: 51),
            ]
        ),
    ]

    @Test("names that imitate another name, or cannot be read, are refused", arguments: noNames.map(\.0))
    func noName(_ kind: String) throws {
        let (_, fault, texts) = try #require(Self.noNames.first { $0.0 == kind })
        for text in texts {
            #expect(throws: fault, "\(text.unicodeScalars.map { String($0.value, radix: 16) })") {
                try TextRule.name.normalised(text)
            }
        }
    }

    @Test(
        "what looks a little like a number or a link is a name",
        arguments: [
            "O'Brien", "Jean-Luc", "Dr. Anna", "Dr.Anna", "Prof.Li", "J.R.", "J. R. R.", "J.de Vries", "A1", "7of9", "50 Cent",
            "St. John",
            "Ada & Ben", "M@x", "Ada/Ben", "Max (2)", "Ada: me", "Hotel: Ada", "1\u{FE0F}\u{20E3}", "$$$", "Ada...",
            "Mary Ann Jr.",
            "No. 5 Anna", "Nguyễn Thị Ánh", "ꓡꓲ ꓢꓴ", "مُحَمَّد", "מֹשֶׁה", "ทิพย์ น้ำ", "श्रीकृष्ण", "#\u{FE0F}\u{20E3} Ada",
        ])
    func likeness(_ name: String) throws {
        #expect(try TextRule.name.normalised(name) == name)
        let decomposed = name.decomposedStringWithCanonicalMapping
        #expect((try? TextRule.name.normalised(decomposed)) != nil, "decomposed")
    }

    @Test(
        "a mark needs a letter before it in every kind of text",
        arguments: [
            "a \u{301}", "a\u{A0}\u{301}", "a \u{301}b", "a\n\u{301}", "a\t\u{301}", "ا\u{200E}\u{301}",
            "a\u{2068}\u{301}b\u{2069}",
            "a\u{2068}b\u{2069}\u{301}", "មក\u{200B}\u{17B6}", "क \u{93E}", "a\u{3000}\u{20DD}", "\u{301}", "א \u{5B8}",
        ])
    func isolatedMarks(_ text: String) {
        for rule in [TextRule(.lines, atMost: 100), .about, .interest, .name] {
            #expect(throws: TextRule.Fault.self) { try rule.normalised(text) }
        }
        #expect((try? TextRule.about.normalised("a\u{301} b")) != nil)
    }

    @Test("half a flag and a doubled mark are refused in texts and as reactions, too")
    func texts() {
        for text in ["🇩", "hi 🇩🇪🇫", "A\u{301}\u{301}"] {
            #expect(throws: TextRule.Fault.self, "\(text)") { try TextRule.about.normalised(text) }
        }
        #expect(TextRule.visibleCharacter("🇩", atMost: 16) == nil)
        #expect(TextRule.visibleCharacter("🇩🇪", atMost: 16) == "🇩🇪")
        #expect((try? TextRule.about.normalised("Нина and Ada, 𝓐𝓭𝓪")) != nil, "a text may have several scripts")
    }
}
