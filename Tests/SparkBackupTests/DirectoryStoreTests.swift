import Foundation
import Testing

@testable import SparkBackup

@Suite("A directory as a store")
struct DirectoryStoreTests {
    private func withStore(_ body: (DirectoryStore, URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(DirectoryStore(folder.appending(path: "place")), folder)
    }

    @Test("keeps what was put, replaces it, lists it by prefix and removes it with its empty folders")
    func objects() async throws {
        try await withStore { store, folder in
            let file = folder.appending(path: "file")
            try Data("one".utf8).write(to: file)
            try await store.put(file, as: "a/b/one")
            try await store.put(file, as: "a/c")
            try Data("other".utf8).write(to: file)
            try await store.put(file, as: "a/c")
            #expect(try await store.list("") == [StoredObject(name: "a/b/one", size: 3), StoredObject(name: "a/c", size: 5)])
            #expect(try await store.list("a/b") == [StoredObject(name: "a/b/one", size: 3)])
            #expect(try await store.list("x/") == [])
            try await store.get("a/c", into: folder.appending(path: "copy"))
            #expect(try Data(contentsOf: folder.appending(path: "copy")) == Data("other".utf8))
            #expect(try await store.digest(of: "a/c").count == 64)
            let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(path: "place/a/c").path)[
                .posixPermissions]
            #expect(mode as? Int == 0o600)
            for name in ["a/b/one", "a/c", "a/c"] { try await store.delete(name) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "place").path) == [])
        }
    }

    @Test("says which object is missing, and accepts no name that leads elsewhere")
    func names() async throws {
        try await withStore { store, folder in
            await #expect(throws: BackupStoreError.missing("a/b")) {
                try await store.get("a/b", into: folder.appending(path: "x"))
            }
            for name in ["../x", "/x", "a/../../x", "a b", "a\u{0}b"] {
                await #expect(throws: BackupStoreError.self, "\(name)") { try await store.delete(name) }
            }
        }
    }

    @Test("that cannot be made says why")
    func refused() async throws {
        try await withStore { _, folder in
            let file = folder.appending(path: "file")
            try Data("one".utf8).write(to: file)
            let error = await #expect(throws: BackupStoreError.self) {
                try await DirectoryStore(file.appending(path: "below")).put(file, as: "a")
            }
            guard case .refused(let text)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains("file"))
        }
    }
}
