import Foundation
import SparkBackup
import Testing

@Suite("Keys of age")
struct AgeKeyTests {
    static let identity = "AGE-SECRET-KEY-190SZLATJJMWR2EE9S633QV7G9RJZZGYE792TPAECPEDY49XVFP5Q3RFUNR"
    static let recipient = "age1fln2ncmaafl5jgzaagchwyd9nc5ltzpx6thu0ujedppqqlzfzsjqjlz4r8"

    @Test("are those of age-keygen")
    func pair() throws {
        let identity = try AgeIdentity(" \(Self.identity)\n")
        #expect(identity.recipient.description == Self.recipient)
        #expect(identity.secretText == Self.identity)
        #expect(try AgeRecipient(Self.recipient) == identity.recipient)
        #expect(AgeIdentity.generate().recipient != AgeIdentity.generate().recipient)
    }

    @Test("are read from a file with comments and several identities")
    func file() throws {
        let other = AgeIdentity.generate()
        let text =
            "# created: 2026-11-30T03:00:38Z\r\n# public key: \(Self.recipient)\r\n\(Self.identity)\r\n\n  # another\n\(other.secretText)"
        let identities = try AgeIdentity.identities(in: text)
        #expect(identities.map(\.recipient) == [try AgeRecipient(Self.recipient), other.recipient])
    }

    @Test(
        "of a wrong file are refused with the line, without its text",
        arguments: [
            ("# nothing\n\n", "the file has none"), ("\n\(identity.dropLast())\n", "line 2: its checksum is wrong"),
            ("# settings\nbackup:\n  to: /mnt", "line 2 is of a file of another kind"),
            (recipient, "line 1: it is of another kind"), ("age-encryption.org/v1\n", "itself encrypted"),
            (identity.lowercased(), "line 1: it is of another kind"), ("a" + identity.dropFirst(), "mixes upper and lower case"),
        ])
    func wrongFile(_ text: String, _ reason: String) {
        let error = #expect(throws: AgeError.self) { try AgeIdentity.identities(in: text) }
        #expect("\(error as Any)".contains(reason))
        #expect(!"\(error as Any)".lowercased().contains("190szla"))
    }

    @Test("show no secret when they are described, dumped or interpolated")
    func secrecy() throws {
        let identity = try AgeIdentity(Self.identity)
        var dumped = ""
        dump(identity, to: &dumped)
        dump([identity], to: &dumped)
        for text in ["\(identity)", String(reflecting: identity), String(describing: [identity]), dumped] {
            #expect(!text.uppercased().contains("190SZLA"))
            #expect(text.contains(Self.recipient))
        }
    }
}
