import Foundation
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkAccounts

@Suite("Punycode")
struct PunycodeTests {
    /// RFC 3492, section 7.1, without the annotation of case.
    static let vectors: [(String, String)] = [
        (
            "\u{0644}\u{064A}\u{0647}\u{0645}\u{0627}\u{0628}\u{062A}\u{0643}\u{0644}\u{0645}\u{0648}\u{0634}\u{0639}\u{0631}\u{0628}\u{064A}\u{061F}",
            "egbpdaj6bu4bxfgehfvwxn"
        ),
        ("\u{4ED6}\u{4EEC}\u{4E3A}\u{4EC0}\u{4E48}\u{4E0D}\u{8BF4}\u{4E2D}\u{6587}", "ihqwcrb4cv8a8dqg056pqjye"),
        ("\u{4ED6}\u{5011}\u{7232}\u{4EC0}\u{9EBD}\u{4E0D}\u{8AAA}\u{4E2D}\u{6587}", "ihqwctvzc91f659drss3x8bo0yb"),
        ("Pro\u{010D}prost\u{011B}nemluv\u{00ED}\u{010D}esky", "Proprostnemluvesky-uyb24dma41a"),
        (
            "\u{05DC}\u{05DE}\u{05D4}\u{05D4}\u{05DD}\u{05E4}\u{05E9}\u{05D5}\u{05D8}\u{05DC}\u{05D0}\u{05DE}\u{05D3}\u{05D1}\u{05E8}\u{05D9}\u{05DD}\u{05E2}\u{05D1}\u{05E8}\u{05D9}\u{05EA}",
            "4dbcagdahymbxekheh6e0a7fei0b"
        ),
        (
            "\u{092F}\u{0939}\u{0932}\u{094B}\u{0917}\u{0939}\u{093F}\u{0928}\u{094D}\u{0926}\u{0940}\u{0915}\u{094D}\u{092F}\u{094B}\u{0902}\u{0928}\u{0939}\u{0940}\u{0902}\u{092C}\u{094B}\u{0932}\u{0938}\u{0915}\u{0924}\u{0947}\u{0939}\u{0948}\u{0902}",
            "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd"
        ),
        (
            "\u{306A}\u{305C}\u{307F}\u{3093}\u{306A}\u{65E5}\u{672C}\u{8A9E}\u{3092}\u{8A71}\u{3057}\u{3066}\u{304F}\u{308C}\u{306A}\u{3044}\u{306E}\u{304B}",
            "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"
        ),
        (
            "\u{043F}\u{043E}\u{0447}\u{0435}\u{043C}\u{0443}\u{0436}\u{0435}\u{043E}\u{043D}\u{0438}\u{043D}\u{0435}\u{0433}\u{043E}\u{0432}\u{043E}\u{0440}\u{044F}\u{0442}\u{043F}\u{043E}\u{0440}\u{0443}\u{0441}\u{0441}\u{043A}\u{0438}",
            "b1abfaaepdrnnbgefbadotcwatmq2g4l"
        ),
        ("Porqu\u{00E9}nopuedensimplementehablarenEspa\u{00F1}ol", "PorqunopuedensimplementehablarenEspaol-fmd56a"),
        (
            "T\u{1EA1}isaoh\u{1ECD}kh\u{00F4}ngth\u{1EC3}ch\u{1EC9}n\u{00F3}iti\u{1EBF}ngVi\u{1EC7}t",
            "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g"
        ),
        ("3\u{5E74}B\u{7D44}\u{91D1}\u{516B}\u{5148}\u{751F}", "3B-ww4c5e180e575a65lsy2b"),
        ("\u{5B89}\u{5BA4}\u{5948}\u{7F8E}\u{6075}-with-SUPER-MONKEYS", "-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n"),
        (
            "Hello-Another-Way-\u{305D}\u{308C}\u{305E}\u{308C}\u{306E}\u{5834}\u{6240}",
            "Hello-Another-Way--fc4qua05auwb3674vfr0b"
        ),
        ("\u{3072}\u{3068}\u{3064}\u{5C4B}\u{6839}\u{306E}\u{4E0B}2", "2-u9tlzr9756bt3uc0v"),
        ("Maji\u{3067}Koi\u{3059}\u{308B}5\u{79D2}\u{524D}", "MajiKoi5-783gue6qz075azm5e"),
        ("\u{30D1}\u{30D5}\u{30A3}\u{30FC}de\u{30EB}\u{30F3}\u{30D0}", "de-jg4avhby1noc0d"),
        ("\u{305D}\u{306E}\u{30B9}\u{30D4}\u{30FC}\u{30C9}\u{3067}", "d9juau41awczczp"),
        ("-> $1.00 <-", "-> $1.00 <--"),
    ]

    @Test("the samples of RFC 3492, section 7.1, both ways", arguments: vectors)
    func vector(_ text: String, _ encoded: String) {
        #expect(Punycode.encode(text.unicodeScalars) == encoded)
        #expect(Punycode.decode(encoded) == Array(text.unicodeScalars))
    }

    @Test(
        "input that no text encodes to is refused, also numbers that overflow",
        arguments: [
            "bücher-kva", "a-!", "99999999999999999999999999", String(repeating: "9", count: 255), "zzzzzzzzzzzzzzzzzzzzz",
            String(repeating: "a", count: 256), "9",
        ])
    func malformed(_ text: String) { #expect(Punycode.decode(text) == nil) }

    @Test("any text survives encoding and decoding")
    func roundTrip() {
        let random = SystemRandomSource()
        for _ in 0..<2_000 {
            let text = (0..<Int(random.next() % 40)).compactMap { _ in
                Unicode.Scalar(UInt32(random.next() % (random.next() % 2 == 0 ? 0x250 : 0x110000)))
            }
            let encoded = Punycode.encode(text)
            #expect(encoded.flatMap { Punycode.decode($0) } == text, "\(text)")
        }
    }
}

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "a domain has one form, however it is spelt",
        arguments: [
            "user@bücher.example", "user@xn--bcher-kva.example", "User@BÜCHER.Example", "user@XN--BCHER-KVA.EXAMPLE",
            "user@bu\u{308}cher.example", "user@bücher。example", "user@bücher．example", "user@bücher｡example",
            "user@ｂücher.example", " user@bücher.ｅｘａｍｐｌｅ ", "user@xn--BCHER-kva.example", "user@xn--bcher-2pa.example",
        ])
    func oneForm(_ raw: String) {
        // The last is the encoding of the same word with a capital letter, which no registrar gives out.
        #expect(EmailAddress(raw)?.text == "user@xn--bcher-kva.example", "\(raw)")
        #expect(EmailAddress.forms(raw).last == "user@xn--bcher-kva.example")
    }

    @Test("the part before the sign keeps its own letters")
    func localPart() {
        #expect(EmailAddress("Jörg@例え.テスト")?.text == "jörg@xn--r8jz45g.xn--zckzah")
        #expect(EmailAddress("ß@straße.example")?.text == "ß@xn--strae-oqa.example")
    }

    @Test(
        "a domain that could be read as another, or is not one, is refused",
        arguments: [
            "a@b", "a@b..example", "a@.example", "a@example.", "a@-b.example", "a@b-.example", "a@b_c.example", "a@b c.example",
            "a@xn--.example", "a@xn--a.example", "a@xn--abc-.example", "a@xn--bücher.example", "a@xn--99999999.example",
            "a@b\u{200D}c.example", "a@b\u{AD}c.example", "a@♥.example", "a@b\u{0}.example", "a@\u{301}b.example",
            "a@b/c.example",
            "a@" + String(repeating: "b", count: 64) + ".example", "a@" + String(repeating: "ü", count: 60) + ".example",
            "a@" + String(repeating: "bcdefghi.", count: 40) + "example", "a@b@c.example", "a@xn--xn--bcher-kva-abc.example",
        ])
    func refused(_ raw: String) { #expect(EmailAddress(raw) == nil) }

    @Test("one address is one account, however it is spelled at registration and login")
    func oneAccount() async throws {
        try await withServer { server in
            let grant = try await server.register(["email": "user@bücher.example"])
            for email in ["user@xn--bcher-kva.example", "USER@BÜCHER.EXAMPLE", "user@bücher。example"] {
                let again = try await server.call(
                    "POST", "/api/v1/auth/register", json: registration(["email": .string(email)]))
                #expect(again.code == "accounts.email_taken", "\(email)")
                #expect(try Grant(try await server.logIn(email)).user == grant.user)
            }
        }
    }

    @Test("addresses stored earlier get the one form; when two become the same, the later one keeps its spelling and its account")
    func migration() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-emails-\(SystemRandomSource().next())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = StorageConfiguration(file: folder.appending(path: "spark.db"), backupDirectory: nil)
        let clock = ManualClock(TestServer.startOfTime)
        let emails = [
            "ada@example.org", "one@bücher.example", "two@xn--bcher-kva.example", "two@bücher.example", "jörg@example.org",
            "a@b_ü.example",
        ]
        let old = try SQLiteStorage(configuration, migrations: Array(AccountsMigrations.all.prefix(1)), clock: clock)
        try await old.write { transaction in
            for (index, email) in emails.enumerated() {
                try transaction.session.run("INSERT INTO accounts_users (id, email, created_at) VALUES (?, ?, 5)", index, email)
                try transaction.session.run(
                    "INSERT INTO accounts_sessions (id, user_id, created_at, last_used_at, label) VALUES (?1, ?1, 7, 8, '')",
                    index)
            }
        }
        await old.close()
        let storage = try SQLiteStorage(configuration, migrations: AccountsMigrations.all, clock: clock)
        let (found, confirmed) = try await storage.read { session in
            (
                try session.values("SELECT email FROM accounts_users ORDER BY id", as: String.self),
                try session.values("SELECT DISTINCT confirmed_at FROM accounts_sessions", as: Int.self)
            )
        }
        await storage.close()
        #expect(
            found == [
                "ada@example.org", "one@xn--bcher-kva.example", "two@xn--bcher-kva.example", "two@bücher.example",
                "jörg@example.org", "a@b_ü.example",
            ])
        #expect(confirmed == [7])
    }

    @Test("an account whose address keeps an old spelling is found by it, and its address is taken")
    func oldSpelling() async throws {
        try await withServer { server in
            let first = try await server.register(["email": "user@bücher.example"])
            let second = try await server.register(["email": "other@example.org"])
            try await server.storage.run(
                "UPDATE accounts_users SET email = 'user@bücher.example' WHERE email = 'other@example.org'")
            #expect(try Grant(try await server.logIn("User@bücher.example")).user == second.user)
            #expect(try Grant(try await server.logIn("user@xn--bcher-kva.example")).user == first.user)
            let taken = try await server.call(
                "POST", "/api/v1/auth/register", json: registration(["email": "user@bücher.example"]))
            #expect(taken.code == "accounts.email_taken")
        }
    }
}
