import Foundation
import Testing

@testable import SparkBackup

@Suite("Bech32")
struct Bech32Tests {
    private static let recipient = "age1fln2ncmaafl5jgzaagchwyd9nc5ltzpx6thu0ujedppqqlzfzsjqjlz4r8"

    @Test(
        "accepts the valid strings of BIP 173",
        arguments: ["A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"])
    func valid(_ text: String) throws {
        let (prefix, bytes) = try Bech32.decode(text)
        #expect(Bech32.encode(bytes, prefix: prefix.lowercased()) == text.lowercased())
    }

    @Test("gives back what it encoded, of every length")
    func roundTrip() throws {
        for length in 0...40 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37 + length) }
            #expect(try Bech32.decode(Bech32.encode(bytes, prefix: "age")) == ("age", bytes))
        }
    }

    @Test("refuses every recipient with one character changed")
    func changes() throws {
        _ = try AgeRecipient(Self.recipient)
        for index in Self.recipient.indices {
            for other in ["q", "p", "7", "1", "b", "Q", "é"] where other != String(Self.recipient[index]) {
                let text = Self.recipient.replacingCharacters(in: index...index, with: other)
                #expect(throws: AgeError.self, "\(text)") { try AgeRecipient(text) }
            }
        }
    }

    @Test(
        "says what is wrong with a recipient",
        arguments: [
            ("", "it has no 1"), ("age1", "it has the wrong length"), (String(recipient.dropLast()), "its checksum is wrong"),
            ("Age" + recipient.dropFirst(3), "it mixes upper and lower case"), (recipient.uppercased(), "it is of another kind"),
            ("AGE-SECRET-KEY-190SZLATJJMWR2EE9S633QV7G9RJZZGYE792TPAECPEDY49XVFP5Q3RFUNR", "it is the secret identity"),
            ("age1 " + recipient.dropFirst(5), "a character that does not belong there"),
            (Bech32.encode([UInt8](repeating: 1, count: 31), prefix: "age"), "it has the wrong length"),
            (String(repeating: "a", count: 2_000), "it has the wrong length"),
        ])
    func words(_ text: String, _ reason: String) {
        let error = #expect(throws: AgeError.self) { try AgeRecipient(text) }
        #expect("\(error as Any)".contains(reason), "\(text)")
        #expect(!"\(error as Any)".contains("190SZLA"), "a secret is not repeated")
    }

    @Test("refuses bits that mean nothing")
    func padding() throws {
        // One byte is two characters, of which the second has two bits too many.
        #expect(throws: Bech32.Fault.padding) { try Bech32.decode("a1qpamnt9j") }
        #expect(throws: Bech32.Fault.padding) { try Bech32.decode("a1qqqd87cpp") }
        #expect(try Bech32.decode("a1qqqd87cq").bytes == [0])
    }
}
