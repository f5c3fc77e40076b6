/// Ways to give a contact, by class.
enum ContactAttempts {
    static let all: [(name: String, texts: [String])] = [
        (
            "spelled and parted addresses",
            [
                "foo @ bar . de", "foo at bar dot de", "foo (at) bar (dot) de", "foo[at]bar[dot]it", "foo {at} bar {dot} se",
                "foo @bar .de", "foo@bar .family", "foo AT bar DOT se", "foo arobase bar point fr", "foo arroba bar punto es",
                "foo ät bar punkt de", "foo chiocciola bar punto it", "foo małpa bar kropka pl", "foo snabel-a bar punkt se",
                "foo apenstaartje bar punt nl", "bar (dot) me", "foo@bar,de", "f o o @ b a r . d e", "foo at bar dot co dot uk",
                "foodotcom", "write foobardotcom", "bar [.] de", "foo＠bar．de", "foo﹫bar﹒de",
            ]
        ),
        (
            "dots of other writings",
            [
                "foo・com", "foo。com", "foo｡com", "foo．com", "foo․com", "foo·com", "foo•com", "foo●com", "foo∙com", "fooꓸcom",
                "foo܂com",
                "foo۔com", "foo◦com", "foo⸳com", "foo・bar・de", "foo。de",
            ]
        ),
        (
            "encoded characters",
            ["foo%2Ecom", "foo%252ecom", "foo%40bar%2Ede", "%74%2e%6d%65/foobar", "%66oo%25252ecom", "www%2efoo%2ecom"]
        ),
        (
            "letters that look like others",
            [
                "ᴛ.ᴍᴇ/foobar", "foo.сом", "𝕗𝕠𝕠.𝕔𝕠𝕞", "ⓕⓞⓞ.ⓒⓞⓜ", "🅵🅾🅾.🅲🅾🅼", "🅕🅞🅞.🅒🅞🅜", "ғᴏᴏ.ᴄᴏᴍ", "ꓝꓳꓳ.ꓚꓳꓟ", "ᏟᎪᏞᏞ.ᏟoᎷ", "ꓝoo.ꓚoꓟ",
                "Ꮯoo.ᏟoᎷ", "ｆｏｏ．ｃｏｍ",
            ]
        ),
        (
            "digits of other kinds",
            [
                "٠١٧٠١٢٣٤٥٦٧", "०१७०१२३४५६७", "๐๑๗๐๑๒๓๔๕๖๗", "𝟎𝟏𝟕𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕", "⓪①⑦⓪①②③④⑤⑥⑦", "❶❼❶❷❸❹❺❻❼", "⓵⓻⓵⓶⓷⓸⓹⓺⓻",
                "０１７０１２３４５６７", "⁰¹⁷⁰¹²³⁴⁵⁶⁷", "₀₁₇₀₁₂₃₄₅₆₇", "0️⃣1️⃣7️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "⑰⑫㉞㊻⑰", "🄁🄂🄈🄁🄂🄃🄄🄅🄆🄇🄈",
                "零一七零一二三四五六七", "〇一七〇一二三四五六七", "🔟🔟🔟🔟", "𝟶𝟷𝟽𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽", "০১৭০১২৩৪৫৬৭", "𞥐𞥑𞥗𞥐𞥑𞥒𞥓𞥔𞥕𞥖𞥗", "①②/③④/⑤⑥/⑦⑧",
            ]
        ),
        (
            "spelled digits",
            [
                "zero seven nine four five six seven", "null eins sieben null eins zwei drei vier",
                "zéro un sept zéro un deux trois quatre",
                "cero uno siete cero uno dos tres cuatro", "zero uno sette zero uno due tre quattro",
                "zero um sete zero um dois três quatro", "nul een zeven nul een twee drie vier",
                "zero jeden siedem zero jeden dwa trzy cztery", "noll ett sju noll ett två tre fyra",
                "rei ichi nana rei ichi ni san yon", "れい いち なな れい いち に さん よん", "ゼロ イチ ナナ ゼロ イチ ニ サン ヨン",
                "ноль один семь ноль один два три четыре", "공일공 일이삼사 오육칠팔", "zero-seven-nine-four-five-six-seven",
                "zerosevenninefourfivesixseven", "NullEinsSiebenNullEinsZweiDrei", "nollettsjunolletttvåtre", "れいいちななれいいちにさんよん",
                "ゼロイチナナゼロイチニサンヨン", "oh seven nine double four triple six", "zéro six douze trente-quatre cinquante-six",
                "null einhundert sieben null eins zwei drei vier fünf sechs", "07 nine 4 five 6 seven 8", "0seven9four5six7",
                "callzerosevenninefourfivesixseven", "zerotreuneundreiseptnulvierdos",
                "seventy nine, forty five, sixty seven, eighty nine, twelve",
            ]
        ),
        (
            "letters for digits and letters on keys",
            [
                "O7I2 3I4 56", "O7I23I4S6", "o1z3 4s6 78b", "0l70 l234 s67", "1-800-FLOWERS", "1-800-flowers", "1 800 FLOWERS",
                "0800-HOTLINE", "+1 (888) GOFOOBAR", "1.877.CALLME", "0171-CALLME", "001-800-GETFOO", "0I7O-I2E4-567",
                "0a1b7c0d1e2f3g4", "0.....1.....7.....0.....1.....2.....3", "0 ~~~~~ 170 ~~~~~ 123 ~~~~~ 45",
                "plus four nine dash one seven zero dash one two three",
            ]
        ),
        (
            "names at messengers",
            [
                "insta: foo", "Insta = foo_bar", "snap foo", "tg @foo", "tg: foo", "wa.me/491701234567", "t.me/foobar",
                "t . me / foobar",
                "t dot me slash foobar", "ig: foo.bar", "IG - foobar", "my snap is foobar", "my insta is foo_bar",
                "add me on snap foobar",
                "foo_bar on ig", "I'm foo.bar92 on insta", "@foo_bar92", "telegram foobar", "Telegram @foobar", "kik: foobar99",
                "discord foo_bar", "schreib mir auf insta: foobar", "тг: foobar", "телеграм @foobar", "微信: foobar88",
                "インスタ: foobar",
                "insta → foobar", "ｉｎｓｔａ： foobar", "𝓲𝓷𝓼𝓽𝓪: foobar", "line id: foobar1", "i n s t a : f o o", "gmail: foobar",
                "my gmail is foobar", "fb.me/foo", "m.me/foo", "ig.me/foo",
                "signal.me/foo", "snapchat.com/add/foo", "discord.gg/foo",
            ]
        ),
    ]

    static let texts = all.flatMap(\.texts)

    /// Names of pictures that contain something else.
    static let identifiers = [
        "t_me_foobar", "t-me-foobar", "wa_me_491701234567", "foobar_com", "insta_foobar", "telegram-foobar",
        "zero-seven-nine-four-five-six-seven",
        "zerosevenninefourfivesixseven", "0301234567", "030-123-45-67", "call_0301234567", "my_snapchat_foobar",
        "foobar_at_gmail_com",
        "foo_dot_de", "www_foo_de", "o7i2_3i4_567", "1-800-flowers", "telegramfoobar",
    ]
    static let ordinaryIdentifiers = [
        "wave_01", "3o7TKtnuHOHHUjR38Y", "550e8400-e29b-41d4-a716-446655440000", "cat_dance", "thumbs-up", "love_me",
        "happy-birthday-2026",
        "good_night_03", "snap_fingers", "hug", "LkjlH3rVETgsg", "pack_12_sticker_7", "duck-animated-512", "xT9IgG50Fb7Mi0prBC",
    ]
}
