import Dispatch
import SparkCore
import Testing

@testable import SparkAccounts

@Suite("Passwords")
struct PasswordTests {
    @Test("the derivation is scrypt: the vector of RFC 7914, section 12")
    func vector() throws {
        let hash = try PasswordHash(
            of: "pleaseletmein", salt: Array("SodiumChloride".utf8), parameters: PasswordParameters(ln: 14, r: 8, p: 1))
        let expected: [UInt8] = [
            0x70, 0x23, 0xbd, 0xcb, 0x3a, 0xfd, 0x73, 0x48, 0x46, 0x1c, 0x06, 0xcd, 0x81, 0xfd, 0x38, 0xeb, 0xfd, 0xa8, 0xfb,
            0xba,
            0x90, 0x4f, 0x8e, 0x3e, 0xa9, 0xb5, 0x43, 0xf6, 0x54, 0x5d, 0xa1, 0xf2,
        ]
        #expect(hash.key == expected)
    }

    @Test("a hash is read back from its text")
    func text() throws {
        let hash = try PasswordHash(of: "correct horse", salt: Array(0..<16), parameters: .ephemeral)
        #expect(hash.text.hasPrefix("$scrypt$ln=4,r=8,p=1$"))
        let read = try #require(PasswordHash(text: hash.text))
        #expect(read == hash)
        #expect(try read.matches("correct horse"))
        #expect(try !read.matches("correct hors"))
    }

    @Test(
        "a text that is no hash is none",
        arguments: [
            "", "$", "$scrypt$", "scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$x",
            "$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
            "$scrypt$r=8,ln=4,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$argon2id$v=19$m=1$AAAA$AAAA", "$scrypt$ln=4,r=8,p=1$AAAA$AAAA",
            "$scrypt$ln=-4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func badText(_ text: String) { #expect(PasswordHash(text: text) == nil) }

    @Test("the standard parameters fit into their memory limit, and are stronger than those of a test")
    func standard() throws {
        let hash = try PasswordHash(of: "correct horse", salt: Array(0..<16), parameters: .standard)
        #expect(hash.text.hasPrefix("$scrypt$ln=17,r=8,p=1$"))
        let hasher = hasher(.standard)
        #expect(!hasher.isWeak(hash))
        #expect(hasher.isWeak(try PasswordHash(of: "correct horse", salt: Array(0..<16), parameters: .ephemeral)))
    }

    @Test("each hash has a salt of its own; an unknown user's password never matches")
    func salts() async throws {
        let hasher = hasher(.ephemeral)
        let first = try await hasher.hash("correct horse")
        let second = try await hasher.hash("correct horse")
        #expect(first.salt != second.salt && first.key != second.key)
        #expect(try await hasher.verify("correct horse", against: first))
        #expect(try await !hasher.verify("correct horse", against: nil))
    }

    @Test("two derive, thirty-two wait, and the next is refused")
    func boundedWait() async throws {
        let hasher = hasher(.ephemeral)
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let places = PasswordHasher.workers + PasswordHasher.longestQueue
            for _ in 0..<places { group.addTask { try await hasher.run { gate.wait() } } }
            while hasher.waitingCount < PasswordHasher.longestQueue { await Task.yield() }
            do {
                _ = try await hasher.hash("correct horse")
                Issue.record("a place too many")
            } catch let error as AccountsError {
                #expect(error.status == 429 && error.code == "accounts.busy")
                #expect(error.isTemporary && error.retryAfter == .seconds(1))
            }
            for _ in 0..<places { gate.signal() }
            try await group.waitForAll()
        }
        _ = try await hasher.hash("correct horse")
        hasher.close()
        await #expect(throws: AccountsError.self) { _ = try await hasher.hash("correct horse") }
    }

    private func hasher(_ parameters: PasswordParameters) -> PasswordHasher {
        PasswordHasher(
            parameters: parameters, secrets: SecretSource(random: SystemRandomSource()), metrics: AccountsMetrics())
    }
}
