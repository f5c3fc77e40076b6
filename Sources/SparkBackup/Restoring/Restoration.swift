public import Foundation
import Glibc
import SparkCore
import SparkFiles
import SparkStorage

/// Restores a backup into a new data directory.
///
/// Everything is written and checked in a scratch folder beside the directory, on the same file system, and renamed into place at the
/// end: there is the whole directory, or none. A scratch folder of a process that died is removed by the next restoration there.
public struct Restoration: Sendable {
    /// How far a restoration is.
    public struct Progress: Hashable, Sendable {
        /// Pages that were read.
        public var pages: Int
        /// All pages.
        public var of: Int
    }

    /// Changes the restored database before it is checked, for example to a later moment.
    public typealias Advance = @Sendable (_ database: URL, _ manifest: BackupManifest) async throws -> Void
    /// Completes and checks the restored data directory, which is not in its place yet.
    public typealias Finish<Outcome: Sendable> = @Sendable (_ directory: URL, _ manifest: BackupManifest) async throws -> Outcome

    /// Where the backup is.
    public var store: any BackupStore
    /// Decrypts it; nil without identities.
    public var opening: (any BackupOpening)?
    /// Whether a backup that is not encrypted is refused. At first so if there are identities: everybody who writes to a place can make one.
    public var requiresEncryption: Bool
    /// The new data directory: absent or empty.
    public var directory: URL
    /// The name of the backup; nil for the newest that is complete.
    public var name: String?
    /// Advances the database to a later moment; nil for the moment of the backup.
    public var advance: Advance?
    /// Called with a sentence about each newer backup that is not whole, if the newest whole one was asked for.
    public var note: @Sendable (String) -> Void = { _ in }
    /// Called with each part that was read.
    public var progress: @Sendable (Progress) -> Void = { _ in }
    /// The source of the time, to tell backups of a clock that was ahead.
    var clock: any WallClock = KernelClock()
    /// Called before each object is read; what it throws ends the restoration. May block.
    var watch: @Sendable () throws -> Void = {}

    /// A restoration of the newest backup.
    public init(store: any BackupStore, opening: (any BackupOpening)?, directory: URL) {
        (self.store, self.opening, self.requiresEncryption) = (store, opening, opening != nil)
        self.directory = directory.absoluteURL.standardizedFileURL
    }

    /// Restores, and puts the directory in place only if `finish` returns.
    /// - Throws: `BackupError`, what `advance` and `finish` throw, `CancellationError`. Nothing is left then.
    public func run<Outcome: Sendable>(finish: Finish<Outcome>) async throws -> (manifest: BackupManifest, outcome: Outcome) {
        try await run(isKept: true, finish)
    }

    /// Does the same and puts nothing in place: whatever comes of it, nothing is left.
    func rehearse<Outcome: Sendable>(finish: Finish<Outcome>) async throws -> (manifest: BackupManifest, outcome: Outcome) {
        try await run(isKept: false, finish)
    }

    /// Removes the scratch folders that processes which died left in a folder. Blocks.
    public static func removeLeftovers(in folder: URL) { RestorationScratch.sweep(folder) }

    private func run<Outcome: Sendable>(
        isKept: Bool, _ finish: Finish<Outcome>
    ) async throws -> (manifest: BackupManifest, outcome: Outcome) {
        let scratch: RestorationScratch
        do {
            let directory = directory
            scratch = try await BlockingWork.run { try RestorationScratch(for: directory) }
        } catch let error as FileError {
            throw BackupError.of(error, during: "restore into \(directory.path)")
        }
        do {
            let result = try await restore(in: scratch, finish)
            try Task.checkCancellation()
            try await BlockingWork.run {
                if isKept { try scratch.putInPlace() }
                scratch.remove()
            }
            return result
        } catch {
            try? await BlockingWork.run { scratch.remove() }
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            let error = BackupError.of(error, during: "restore from \(store.description)")
            guard isKept, advance == nil else { throw error }
            throw await hinting(error)
        }
    }

    private func restore<Outcome: Sendable>(
        in scratch: RestorationScratch, _ finish: Finish<Outcome>
    ) async throws -> (BackupManifest, Outcome) {
        let name = try await chosen()
        let (manifest, digest) = try await BackupCatalog(store).manifest(of: name)
        guard !manifest.isEncrypted || opening != nil else {
            throw BackupError.refused("\(name.text) is encrypted; name the file with its key: --identity FILE")
        }
        guard manifest.isEncrypted || !requiresEncryption else {
            throw BackupError.damaged("\(name.prefix)\(BackupName.manifest): \(BackupError.mayBeForged)")
        }
        try await check(digest, of: name, manifest, scratch)
        guard manifest.files.contains(where: { $0.path == BackupJob.keyFile }) else {
            throw BackupError.damaged("\(name.text): it is without the server's key")
        }
        let database = scratch.data.appending(path: "spark.db")
        try await readDatabase(manifest, name, into: database, scratch)
        for part in manifest.files {
            let file = try await fetch(part, name, manifest, scratch)
            defer { unlink(file.path) }
            try await BlockingWork.run { try Self.place(file, part.path, in: scratch.data) }
        }
        try Task.checkCancellation()
        try await advance?(database, manifest)
        let outcome = try await finish(scratch.data, manifest)
        return (manifest, outcome)
    }

    private func chosen() async throws -> BackupName {
        if let name {
            guard let found = BackupName(name) else {
                throw BackupError.refused("\(name) is no name of a backup; spark restore --list shows them")
            }
            guard try await !store.list(found.prefix).isEmpty else {
                throw BackupError.refused("there is no backup \(name) in \(store.description); spark restore --list shows them")
            }
            return found
        }
        let (entries, future) = BackupCatalog.Entry.split(try await BackupCatalog(store).entries(), now: clock.now())
        for entry in future { note("\(entry.name.text) is passed over, because its time is in the future") }
        guard let index = entries.lastIndex(where: \.isComplete) else {
            let broken = entries.last.flatMap(\.fault).map { "; the newest one is not whole: \($0)" } ?? ""
            throw BackupError.refused("there is no complete backup in \(store.description)\(broken)")
        }
        // One without a manifest never ended, and is no loss.
        for entry in entries[(index + 1)...] where entry.hasManifest {
            note("a newer backup is passed over, because it is not whole: \(entry.name.text): \(entry.fault ?? "")")
        }
        return entries[index].name
    }

    /// The error of a damaged backup, with the name of an older one.
    private func hinting(_ error: any Error) async -> any Error {
        guard case BackupError.damaged(let text) = error, let entries = try? await BackupCatalog(store).entries() else {
            return error
        }
        let chosen = entries.lastIndex { entry in name.map { $0 == entry.name.text } ?? entry.isComplete } ?? entries.endIndex
        guard let older = entries[..<chosen].last(where: \.isComplete) else { return error }
        return BackupError.damaged("\(text). An older one, of \(older.takenAt): --backup \(older.name.text)")
    }

    /// Compares the manifest with its seal.
    private func check(
        _ digest: String, of name: BackupName, _ manifest: BackupManifest, _ scratch: RestorationScratch
    ) async throws {
        let objects = try await store.list(name.prefix + BackupName.seal)
        guard let seal = objects.first else { throw BackupError.damaged("\(name.prefix)\(BackupName.seal) is missing") }
        let file = scratch.file(BackupName.seal)
        defer { unlink(file.path) }
        try await store.get(seal.name, into: file)
        let opened = try await opened(file, of: seal.name, manifest, scratch)
        defer { unlink(opened.path) }
        let text = try DurableFile.contents(of: opened.path, atMost: 4_096).map { String(decoding: $0, as: UTF8.self) }
        guard text == "\(digest)\n" else {
            throw BackupError.damaged(
                "\(name.prefix)\(BackupName.manifest) or \(seal.name) is damaged: the one is not what the other says")
        }
    }

    private func readDatabase(
        _ manifest: BackupManifest, _ name: BackupName, into database: URL, _ scratch: RestorationScratch
    ) async throws {
        let target = try DatabaseTarget(database)
        var pages = 0
        progress(.init(pages: 0, of: manifest.pageCount))
        for part in manifest.database {
            try Task.checkCancellation()
            let file = try await fetch(part, name, manifest, scratch)
            defer { unlink(file.path) }
            let expected = Int64(part.pages) * Int64(manifest.pageSize)
            let object = name.prefix + part.name
            let count = try await BlockingWork.run { try PartReader.unpack(file, name: object) { try target.append($0) } }
            guard count == expected else {
                throw BackupError.damaged("\(object): it has \(count) bytes of pages instead of \(expected)")
            }
            pages += part.pages
            progress(.init(pages: pages, of: manifest.pageCount))
        }
        guard pages == manifest.pageCount else {
            throw BackupError.damaged("\(name.text): it has \(pages) pages instead of \(manifest.pageCount)")
        }
        try await BlockingWork.run { try target.end() }
    }

    /// An object of the backup, checked and decrypted.
    private func fetch(
        _ part: BackupManifest.Part, _ name: BackupName, _ manifest: BackupManifest, _ scratch: RestorationScratch
    ) async throws -> URL {
        let object = name.prefix + part.name
        let file = scratch.file(part.name)
        try await BlockingWork.run(watch)
        try await store.get(object, into: file)
        let (digest, bytes) = try await BlockingWork.run { (try FileDigest.of(file), FileStatus(path: file.path)?.bytes ?? 0) }
        guard bytes == part.bytes else { throw BackupError.damaged("\(object): it has \(bytes) bytes instead of \(part.bytes)") }
        guard digest == part.sha256 else {
            throw BackupError.damaged("\(object): its checksum is wrong; it was changed or damaged")
        }
        return try await opened(file, of: object, manifest, scratch)
    }

    private func opened(
        _ file: URL, of object: String, _ manifest: BackupManifest, _ scratch: RestorationScratch
    ) async throws -> URL {
        guard manifest.isEncrypted, let opening else { return file }
        defer { unlink(file.path) }
        let target = scratch.file("opened-\(object)")
        try await BlockingWork.run {
            do {
                try opening.open(file, into: target)
            } catch BackupError.damaged(let text) {
                throw BackupError.damaged("\(object): \(text)")
            } catch BackupError.refused(let text) {
                throw BackupError.refused("\(object): \(text)")
            }
        }
        return target
    }

    private static func place(_ file: URL, _ path: String, in directory: URL) throws {
        let target = directory.appending(path: path)
        guard let bytes = try DurableFile.contents(of: file.path, atMost: 1 << 20) else { return }
        guard path != BackupJob.keyFile || bytes.count == BackupJob.keyBytes else {
            throw BackupError.damaged("\(path): the server's key is not whole")
        }
        try DurableFile.makeDirectory(target.deletingLastPathComponent().path)
        try DurableFile.replace(target.path, with: bytes)
    }
}
