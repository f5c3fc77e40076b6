import Foundation
import SparkBackup
import Synchronization

/// A store in memory, which fails on request.
final class MemoryStore: BackupStore {
    private struct State {
        var objects: [String: Data] = [:]
        var isReachable = true
        var puts = 0
    }

    private let state = Mutex(State())

    var description: String { "memory" }

    var names: [String] { state.withLock { $0.objects.keys.sorted() } }

    /// The number of attempts to store something.
    var puts: Int { state.withLock { $0.puts } }

    var isReachable: Bool {
        get { state.withLock { $0.isReachable } }
        set { state.withLock { $0.isReachable = newValue } }
    }

    subscript(name: String) -> Data? {
        get { state.withLock { $0.objects[name] } }
        set { state.withLock { $0.objects[name] = newValue } }
    }

    func put(_ file: URL, as name: String) async throws {
        let data = try Data(contentsOf: file)
        try state.withLock { state in
            state.puts += 1
            guard state.isReachable else { throw BackupStoreError.unavailable("no route") }
            state.objects[name] = data
        }
    }

    func get(_ name: String, into file: URL) async throws {
        guard let data = self[name] else { throw BackupStoreError.missing(name) }
        try data.write(to: file)
    }

    func list(_ prefix: String) async throws -> [StoredObject] {
        state.withLock { state in
            state.objects.filter { $0.key.hasPrefix(prefix) }.map { StoredObject(name: $0.key, size: Int64($0.value.count)) }
                .sorted { $0.name < $1.name }
        }
    }

    func delete(_ name: String) async throws { self[name] = nil }
}
