import Foundation
import SparkBackup
import SparkTestSupport
import Testing

/// The programs of age, which read and write the same files.
@Suite(
    "Encryption in the format of age, with age as the peer",
    .enabled(if: Programs.has("age", "age-keygen"), "age is not installed"))
struct AgePeerTests {
    private static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 5 << 20]

    private func withFolder(_ body: @Sendable @escaping (URL) throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-age-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await onOwnThread { try body(folder) }
    }

    @Test("writes what age opens", arguments: sizes)
    func encrypt(_ size: Int) async throws {
        try await withFolder { folder in
            let key = folder.appending(path: "key").path
            #expect(try Programs.run("age-keygen", "-o", key).status == 0)
            let identity = try #require(AgeIdentity.identities(inFile: key).first)
            let (plain, sealed, opened) = (folder.appending(path: "a"), folder.appending(path: "b"), folder.appending(path: "c"))
            let content = Data(AgeTests.bytes(size))
            try content.write(to: plain)
            try Age.encrypt(plain, to: [AgeIdentity.generate().recipient, identity.recipient], into: sealed)
            let run = try Programs.run("age", "-d", "-i", key, "-o", opened.path, sealed.path)
            #expect(run.status == 0, "\(run.output)")
            // Of an empty file age writes no file.
            #expect(try (size == 0 ? Data() : Data(contentsOf: opened)) == content)
        }
    }

    @Test("opens what age writes", arguments: sizes)
    func decrypt(_ size: Int) async throws {
        try await withFolder { folder in
            let (plain, sealed, opened) = (folder.appending(path: "a"), folder.appending(path: "b"), folder.appending(path: "c"))
            let content = Data(AgeTests.bytes(size))
            try content.write(to: plain)
            let identities = [AgeIdentity.generate(), AgeIdentity.generate()]
            let run = try Programs.run(
                "age", "-r", identities[0].recipient.description, "-r", identities[1].recipient.description, "-o", sealed.path,
                plain.path)
            #expect(run.status == 0, "\(run.output)")
            for identity in identities {
                try Age.decrypt(sealed, with: [identity], into: opened)
                #expect(try Data(contentsOf: opened) == content)
            }
        }
    }

    @Test("makes identities whose recipients age-keygen finds")
    func keys() async throws {
        try await withFolder { folder in
            let (identity, key) = (AgeIdentity.generate(), folder.appending(path: "key"))
            try Data("# a comment\n\(identity.secretText)\n".utf8).write(to: key)
            let run = try Programs.run("age-keygen", "-y", key.path)
            #expect(run.status == 0 && run.output == "\(identity.recipient)\n")
        }
    }
}
