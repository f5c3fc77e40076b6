import Dispatch
import Foundation
import SparkCore
import SparkKit
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
        "a text that is not a hash is refused",
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

    private static let claim = HashClaim(network: "192.0.2.1", lane: .light)

    @Test("each hash has a salt of its own; an unknown user's password never matches")
    func salts() async throws {
        let hasher = hasher(.ephemeral)
        let first = try await hasher.hash("correct horse", for: Self.claim)
        let second = try await hasher.hash("correct horse", for: Self.claim)
        #expect(first.salt != second.salt && first.key != second.key)
        #expect(try await hasher.verify("correct horse", against: first, for: Self.claim))
        #expect(try await !hasher.verify("correct horse", against: nil, for: Self.claim))
    }

    @Test("two derive, eight of a network wait, and its next is refused; another network has its own places")
    func boundedWait() async throws {
        let hasher = hasher(.ephemeral)
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let limits = FairQueue<Never>.Limits()
            for index in 0..<(PasswordHasher.workers + limits.perNetwork) {
                group.addTask { try await hasher.run(for: Self.claim, memory: 0) { gate.wait() } }
                // The first ones must have been taken by the workers before more come.
                while index < PasswordHasher.workers, hasher.runningCount <= index { await Task.yield() }
            }
            while hasher.waitingCount < limits.perNetwork { await Task.yield() }
            do {
                _ = try await hasher.hash("correct horse", for: Self.claim)
                Issue.record("a place too many")
            } catch let error as AccountsError {
                #expect(error.status == 429 && error.code == "accounts.busy")
                #expect(error.isTemporary && error.retryAfter == .seconds(1))
            }
            async let other = hasher.hash("correct horse", for: HashClaim(network: "192.0.2.2", lane: .light))
            while hasher.waitingCount <= limits.perNetwork { await Task.yield() }
            for _ in 0..<(PasswordHasher.workers + limits.perNetwork) { gate.signal() }
            _ = try await other
            try await group.waitForAll()
        }
        _ = try await hasher.hash("correct horse", for: Self.claim)
        hasher.close()
        await #expect(throws: AccountsError.self) { _ = try await hasher.hash("correct horse", for: Self.claim) }
    }

    @Test("with memory for one hash, one runs at a time; with none, the answer is 503 for a while")
    func memoryIsAdmitted() async throws {
        let parameters = PasswordParameters.ephemeral
        let one = hasher(parameters, memory: parameters.memory + 1)
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask { try await one.run(for: Self.claim, memory: parameters.memory) { gate.wait() } }
            }
            while one.waitingCount < 2 { await Task.yield() }
            #expect(one.runningCount == 1)
            for _ in 0..<3 { gate.signal() }
            try await group.waitForAll()
        }
        #expect(one.runningCount == 0)
        let none = hasher(parameters, memory: parameters.memory - 1)
        do {
            _ = try await none.hash("correct horse", for: Self.claim)
            Issue.record("more memory than there is")
        } catch let error as AdmissionRefused {
            #expect(error.status == 503 && error.code == "admission.hashing" && error.isTemporary && error.retryAfter != nil)
        }
    }

    @Test("when the control group has no memory left, the answer is 503 and the process continues")
    func memoryOfTheSystem() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-group-\(SystemRandomSource().next())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func group(_ limit: String, used: Int) throws -> MemoryHeadroom {
            try limit.write(to: folder.appending(path: "memory.max"), atomically: true, encoding: .utf8)
            try "anon \(used)\nfile 999999999999\nkernel 1000\n"
                .write(to: folder.appending(path: "memory.stat"), atomically: true, encoding: .utf8)
            return MemoryHeadroom(groups: [.init(folder: folder.path, version: .two)])
        }
        #expect(try group("max\n", used: 1 << 40).allows(1 << 30))
        #expect(try group("314572800\n", used: 100 << 20).allows(128 << 20))
        #expect(try !group("314572800\n", used: 170 << 20).allows(128 << 20))
        #expect(try group("314572800\n", used: 170 << 20).allows(64 << 20))
        #expect(MemoryHeadroom(groups: [.init(folder: "/nowhere", version: .two)]).allows(1 << 40))
        try "314572800\n".write(to: folder.appending(path: "memory.limit_in_bytes"), atomically: true, encoding: .utf8)
        try "total_cache 999999999999\ntotal_rss \(170 << 20)\nrss 5\n"
            .write(to: folder.appending(path: "memory.stat"), atomically: true, encoding: .utf8)
        let first = MemoryHeadroom(groups: [.init(folder: folder.path, version: .one)])
        #expect(!first.allows(128 << 20) && first.allows(64 << 20))
        let hasher = PasswordHasher(
            parameters: .standard, secrets: SecretSource(random: SystemRandomSource()), metrics: AccountsMetrics(),
            admission: Admission(limits: .standard, clock: ManualClock(Timestamp(milliseconds: 0))), headroom: first)
        await #expect(throws: AdmissionRefused.self) {
            _ = try await hasher.hash("correct horse", for: Self.claim)
        }
    }

    private func hasher(_ parameters: PasswordParameters, memory: Int? = nil) -> PasswordHasher {
        PasswordHasher(
            parameters: parameters, secrets: SecretSource(random: SystemRandomSource()), metrics: AccountsMetrics(),
            admission: Admission(
                limits: AdmissionLimits([.hashing: AdmissionLimit(total: memory)]),
                clock: ManualClock(Timestamp(milliseconds: 0))), headroom: MemoryHeadroom(groups: []))
    }
}
