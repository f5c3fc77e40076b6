import Foundation
import SparkCore
import Synchronization
import Testing

@testable import SparkBackup

@Suite("The guard of a place of backups")
struct PlaceGuardTests {
    /// What a data directory would remember.
    private final class Memory: PlaceMemory {
        private let state = Mutex<(identifier: String?, misses: Bool)>((nil, false))

        var identifier: String? { state.withLock { $0.identifier } }

        func misses(_ root: URL) -> Bool { state.withLock { $0.misses } }

        func remember(_ identifier: String) { state.withLock { $0.identifier = identifier } }

        func setMisses() { state.withLock { $0.misses = true } }
    }

    private let folder = TemporaryFolder()
    private let memory = Memory()

    private func store(_ root: URL, _ making: PlaceGuard.Making = .inExistingFolder) -> DirectoryStore {
        DirectoryStore(root, keeper: PlaceGuard(making, memory: memory))
    }

    private func put(_ store: DirectoryStore) async throws { try await store.put(try folder.file([1]), as: "backups/a") }

    private func isThere(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

    @Test("makes a place in a folder that is there, remembers it, and uses it")
    func first() async throws {
        let root = folder.url
        let store = store(root)
        try store.look()
        #expect(!isThere(root), "a look changes nothing")
        try await put(store)
        let identifier = try #require(try PlaceMark.read(in: root))
        #expect(memory.identifier == identifier && identifier.utf8.count == 32)
        try await put(self.store(root))
        #expect(try PlaceMark.read(in: root) == identifier)
        #expect(try await store.list("").map(\.name) == ["backups/a", PlaceMark.name])
    }

    @Test("gives one place to all who make it at the same moment")
    func race() async throws {
        for _ in 0..<20 {
            let root = folder.url
            let found = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await BlockingWork.run { try PlaceMark.make(in: root, random: SystemRandomSource()) }
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(found.count == 1)
        }
    }

    @Test("refuses a place that is gone, whether nothing or an empty folder is there, and takes it when it is back")
    func gone() async throws {
        let root = folder.url
        let store = store(root)
        try await put(store)
        let aside = folder.url
        try FileManager.default.moveItem(at: root, to: aside)
        for store in [store, self.store(root), self.store(root, .anywhere)] {
            for _ in 0..<2 {
                let error = await #expect(throws: BackupStoreError.self) { try await put(store) }
                #expect(error.map { "\($0)".contains("is it mounted?") } == true, "\(String(describing: error))")
            }
            #expect(!isThere(root))
            await #expect(throws: BackupStoreError.self) { _ = try await store.list("") }
        }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        await #expect(throws: BackupStoreError.self) { try await put(store) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: root.path) == [])
        try FileManager.default.removeItem(at: root)
        try FileManager.default.moveItem(at: aside, to: root)
        try await put(store)
    }

    @Test("refuses another place, until somebody says that it replaces the one that was used")
    func other() async throws {
        let root = folder.url
        let server = store(root)
        try await put(server)
        let before = memory.identifier
        try FileManager.default.removeItem(at: root)
        _ = try PlaceMark.make(in: root, random: SeededRandomSource(seed: 1))
        let error = await #expect(throws: BackupStoreError.self) { try await put(store(root, .anywhere)) }
        #expect(error.map { "\($0)".contains("another place") && "\($0)".contains("--new-place") } == true)
        try await put(store(root, .anew))
        #expect(memory.identifier != before)
        // A server that runs meanwhile goes on.
        try await put(server)
        try FileManager.default.removeItem(at: root)
        try await put(store(root, .anew))
        try await put(server)
    }

    @Test("makes the folders above only for somebody who names the place, and adopts a place without the file")
    func making() async throws {
        let deep = folder.url.appending(path: "above/place")
        let error = await #expect(throws: BackupStoreError.self) { try await put(store(deep)) }
        #expect(error.map { "\($0)".contains("is its disk mounted?") } == true, "\(String(describing: error))")
        #expect(!isThere(deep.deletingLastPathComponent()))
        try await put(store(deep, .anywhere))
        let old = folder.url
        try await put(DirectoryStore(old))
        let other = Memory()
        try await put(DirectoryStore(old, keeper: PlaceGuard(.inExistingFolder, memory: other)))
        let adopted = try #require(try PlaceMark.read(in: old))
        #expect(other.identifier == adopted)
        // One whose earlier backups are not in it is not adopted.
        let lacking = Memory()
        lacking.setMisses()
        await #expect(throws: BackupStoreError.self) {
            try await put(DirectoryStore(folder.url, keeper: PlaceGuard(.anywhere, memory: lacking)))
        }
    }

    @Test("does not take what is no identifier for one")
    func damaged() throws {
        let root = folder.url
        let identifier = try PlaceMark.make(in: root, random: SeededRandomSource(seed: 2))
        #expect(try PlaceMark.read(in: root) == identifier)
        let head = "spark-place 1\n"
        for text in ["", "spark-place 1", "\(head)x\n", "spark-place 2\n\(identifier)\n", "\(head)../\(identifier)\n"] {
            try Data(text.utf8).write(to: root.appending(path: PlaceMark.name))
            #expect(try PlaceMark.read(in: root) == nil, "\(text)")
        }
    }
}
