import Foundation
import SparkCore
import Testing

@testable import SparkBackup

@Suite("The list of erased people")
struct ErasureListTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-erasures-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func erasure(_ user: Int64) -> Erasure {
        Erasure(user: UserID(rawValue: user), at: Timestamp(milliseconds: 1_772_366_400_000 + user))
    }

    @Test("keeps each person once, also after a line that a crash cut off")
    func file() async throws {
        try await withFolder { folder in
            let file = ErasureFile(in: folder)
            #expect(try file.all() == [])
            try file.append([erasure(1), erasure(2)])
            let path = folder.appending(path: ErasureFile.name)
            try (Data(contentsOf: path) + Data("usr_000".utf8)).write(to: path)
            try ErasureFile(in: folder).append([erasure(3), Erasure(user: UserID(rawValue: 1), at: Timestamp(milliseconds: 5))])
            #expect(try file.all() == [erasure(1), erasure(2), erasure(3)])
            #expect(try file.keep { $0.user.rawValue != 2 } == 1)
            #expect(try ErasureFile.read(path) == [erasure(1), erasure(3)])
        }
    }

    @Test(
        "in a store is the sum of its objects, of which only known or expired ones are removed",
        arguments: [false, true])
    func store(isEncrypted: Bool) async throws {
        try await withFolder { folder in
            let store = DirectoryStore(folder)
            let cipher = isEncrypted ? TestCipher() : nil
            let mine = ErasureObjects(store, sealing: cipher, server: "aa")
            let other = ErasureObjects(store, sealing: cipher, server: "bb")
            let (now, random) = (Timestamp(milliseconds: 1_772_366_400_000), SeededRandomSource(seed: 3))
            try await other.put([erasure(9)], as: other.name(at: now - .days(3), random: random))
            let first = mine.name(at: now - .days(2), random: random)
            try await mine.put([erasure(1)], as: first)
            try await mine.put([erasure(1), erasure(2)], as: mine.name(at: now, random: random))
            #expect(try await store.list("erasures/aa/").count == 2)
            let everybody: Set = [erasure(1), erasure(2), erasure(9)]
            #expect(Set(try await ErasureObjects.read(from: store, opening: cipher, in: folder)) == everybody)
            try await mine.remove([first, "erasures/aa/none"])
            #expect(Set(try await ErasureObjects.read(from: store, opening: cipher, in: folder)) == everybody)
            try await mine.put([erasure(5)], as: first)
            try await mine.removeLists(before: now - .days(4), except: [])
            #expect(try await store.list("erasures/").count == 3)
            // One of another key ends as well.
            try await mine.removeLists(before: now - .days(1), except: [first])
            #expect(try await store.list("erasures/").count == 2)
            try await mine.removeLists(before: now - .days(1), except: [])
            let left: Set = [erasure(1), erasure(2)]
            #expect(Set(try await ErasureObjects.read(from: store, opening: cipher, in: folder)) == left)
            guard isEncrypted else { return }
            await #expect(throws: BackupError.self) { try await ErasureObjects.read(from: store, opening: nil, in: folder) }
        }
    }

    @Test("in a store is refused by name when any byte of it is changed, cut or added", arguments: [false, true])
    func damage(isEncrypted: Bool) async throws {
        try await withFolder { folder in
            let store = DirectoryStore(folder)
            let cipher = isEncrypted ? TestCipher() : nil
            let lists = ErasureObjects(store, sealing: cipher, server: "aa")
            let name = lists.name(at: Timestamp(milliseconds: 1_772_366_400_000), random: SeededRandomSource(seed: 3))
            try await lists.put([erasure(1), erasure(2)], as: name)
            let file = folder.appending(path: name)
            let whole = try Data(contentsOf: file)
            var wrong = whole.indices.map { index in
                var changed = whole
                changed[index] ^= 1
                return changed
            }
            wrong += (0..<whole.count).map { whole.prefix($0) }
            wrong.append(whole + Data("\n".utf8))
            for bytes in wrong {
                try bytes.write(to: file)
                let error = await #expect(throws: BackupError.self) {
                    try await ErasureObjects.read(from: store, opening: cipher, in: folder)
                }
                #expect(error.map { "\($0)".contains(name) } == true, "\(String(describing: error))")
            }
            try whole.write(to: file)
            #expect(try await ErasureObjects.read(from: store, opening: cipher, in: folder) == [erasure(1), erasure(2)])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["erasures"])
        }
    }

    @Test("that an operator names must be one")
    func otherFile() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "hosts")
            try Data("127.0.0.1 localhost\n".utf8).write(to: file)
            let error = #expect(throws: BackupError.self) { try ErasureFile.read(file) }
            #expect(error.map { "\($0)".contains("no list of erased people") } == true)
            try Data().write(to: file)
            #expect(try ErasureFile.read(file) == [])
            // A line that a crash cut off was never acknowledged; any other one is somebody.
            let (one, two) = (erasure(1).line, erasure(2).line)
            try Data((one + two + "usr_0").utf8).write(to: file)
            #expect(try ErasureFile.read(file) == [erasure(1), erasure(2)])
            for damaged in [
                one + "usr_0\n" + two, one + two.replacing("usr_", with: "usx_"), "\(UserID(rawValue: 1).wire) \(Int64.max)\n",
            ] {
                try Data(damaged.utf8).write(to: file)
                #expect(throws: BackupError.self, "\(damaged)") { try ErasureFile.read(file) }
            }
        }
    }
}
