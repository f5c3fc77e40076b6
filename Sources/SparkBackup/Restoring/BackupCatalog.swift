import Foundation
public import SparkCore
import SparkFiles

/// The backups in a store.
public struct BackupCatalog: Sendable {
    /// One backup as the store has it.
    public struct Entry: Sendable {
        /// Its name.
        public let name: BackupName
        /// Its manifest; nil for a backup that never ended, or whose manifest is damaged.
        public let manifest: BackupManifest?
        /// What is wrong with it: a missing or cut object, a damaged manifest; nil if every object is there with its size.
        public let fault: String?
        /// Whether it was complete once and is not any more.
        let isDamaged: Bool
        /// The names of its objects.
        let objects: [String]

        /// Whether it ended: whole or not, it was a backup once.
        var hasManifest: Bool { objects.contains(name.prefix + BackupName.manifest) }
        /// When its state was taken; by its name if the manifest does not say.
        public var takenAt: Timestamp { manifest?.takenAt ?? name.time }
        /// Whether every object is there. Their content is checked when it is restored.
        public var isComplete: Bool { fault == nil }
    }

    private let store: any BackupStore
    /// The longest manifest, in bytes.
    private static let longestManifest = 64 << 20

    /// The backups of a store.
    public init(_ store: any BackupStore) { self.store = store }

    /// Every backup, the oldest first. Reads each manifest.
    /// - Throws: `BackupStoreError`, `FileError`.
    public func entries() async throws -> [Entry] {
        var objects: [BackupName: [String: Int64]] = [:]
        for object in try await store.list(BackupName.folder) {
            let rest = object.name.dropFirst(BackupName.folder.count)
            guard let slash = rest.firstIndex(of: "/"), let name = BackupName(rest[..<slash]) else { continue }
            objects[name, default: [:]][String(rest[rest.index(after: slash)...])] = object.size
        }
        var entries: [Entry] = []
        for name in objects.keys.sorted() { entries.append(try await entry(name, objects[name] ?? [:])) }
        // Names have seconds: the rest of two in one second is random.
        return entries.sorted { ($0.takenAt, $0.name) < ($1.takenAt, $1.name) }
    }

    private func entry(_ name: BackupName, _ objects: [String: Int64]) async throws -> Entry {
        func entry(_ manifest: BackupManifest?, _ fault: String?, hasEnded: Bool = true) -> Entry {
            Entry(
                name: name, manifest: manifest, fault: fault, isDamaged: hasEnded && fault != nil,
                objects: objects.keys.map { name.prefix + $0 })
        }
        guard objects[BackupName.manifest] != nil else {
            return entry(nil, "it has no manifest: it did not end", hasEnded: false)
        }
        do {
            let manifest = try await manifest(of: name).manifest
            for part in manifest.database + manifest.files {
                guard let size = objects[part.name] else { return entry(manifest, "\(name.prefix)\(part.name) is missing") }
                guard size == part.bytes else {
                    return entry(manifest, "\(name.prefix)\(part.name) has \(size) bytes instead of \(part.bytes)")
                }
            }
            guard objects.keys.contains(where: { $0 == BackupName.seal || $0.hasPrefix(BackupName.seal + ".") }) else {
                return entry(manifest, "\(name.prefix)\(BackupName.seal) is missing")
            }
            return entry(manifest, nil)
        } catch let error as BackupError {
            return entry(nil, "\(error)")
        } catch BackupStoreError.damaged(let text) {
            return entry(nil, text)
        } catch BackupStoreError.missing {
            return entry(nil, "it has no manifest: it is being removed", hasEnded: false)
        }
    }

    /// Reads a manifest.
    /// - Returns: the manifest and the SHA-256 of its text.
    func manifest(of name: BackupName) async throws -> (manifest: BackupManifest, digest: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-manifest-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try await store.get(name.prefix + BackupName.manifest, into: file)
        guard FileStatus(path: file.path)?.bytes ?? 0 <= Self.longestManifest else {
            throw BackupError.damaged("\(name.text)/\(BackupName.manifest): it is damaged")
        }
        guard let bytes = try DurableFile.contents(of: file.path, atMost: Self.longestManifest) else {
            throw BackupStoreError.missing(name.prefix + BackupName.manifest)
        }
        return (try BackupManifest(bytes, name: name.text), try FileDigest.of(file))
    }

    /// Removes a backup, its manifest first, so that no half of it looks whole.
    /// - Throws: `BackupStoreError`.
    func remove(_ entry: Entry) async throws {
        try await store.delete(entry.name.prefix + BackupName.manifest)
        for object in entry.objects where !object.hasSuffix("/" + BackupName.manifest) { try await store.delete(object) }
    }
}
