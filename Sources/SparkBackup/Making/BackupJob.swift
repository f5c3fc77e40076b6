import Dispatch
public import Foundation
import Glibc
public import SparkCore
import SparkFiles
import SparkStorage
import Synchronization

/// Makes one backup of a data directory, beside a running server or without one.
///
/// The pages of one commit go into the store in parts, the manifest last: a backup that did not end does not exist. At most two parts
/// are on the local disk and a few megabytes are in memory. While the pages are read, the write-ahead log cannot begin anew; beyond
/// `maximumLogBytes`, or when the disk gets tight, the backup gives up.
public struct BackupJob: Sendable {
    /// How far a backup is.
    public struct Progress: Hashable, Sendable {
        /// Pages of the database that are in the store.
        public var pages: Int
        /// All pages.
        public var of: Int
    }

    /// A finished backup.
    public struct Result: Sendable {
        /// What it contains.
        public let manifest: BackupManifest
        /// How long it took.
        public let duration: Duration
        /// The most bytes that the write-ahead log held meanwhile.
        public let largestLogBytes: Int64
    }

    /// The data directory.
    public var directory: URL
    /// Where the backup goes.
    public var store: any BackupStore
    /// Encrypts the backup; nil for one that everybody who reads the store can read.
    public var sealing: (any BackupSealing)?
    /// Beyond this size of the write-ahead log the backup gives up.
    public var maximumLogBytes: Int64 = 4_096 << 20
    /// The version of the program.
    public var version: String
    /// The source of the time.
    public var clock: any WallClock
    /// The source of names.
    public var random: any RandomSource
    /// The position of the archive of the log now; asked before the snapshot begins and after it was read.
    public var archivePosition: (@Sendable () async throws -> String?)?
    /// Called with each part that is in the store.
    public var progress: @Sendable (Progress) -> Void = { _ in }
    /// The bytes of pages in a part.
    public var partBytes = 64 << 20

    /// A job with every other value at its default.
    public init(
        directory: URL, store: any BackupStore, version: String, clock: any WallClock,
        random: any RandomSource = SystemRandomSource()
    ) {
        (self.directory, self.store, self.version, self.clock, self.random) = (directory, store, version, clock, random)
    }

    /// The files of a data directory that go into a backup beside the database, by their paths in it. The head of the operators' log
    /// is read before the snapshot, so that the database has its line.
    static let files = [keyFile, "audit.head"]
    /// The server's key, without which no session is valid and nothing that was sealed can be opened.
    static let keyFile = "keys/server.key"
    static let keyBytes = 32

    /// Makes the backup and compares what the store has with what was sent. Cancelling the task ends it early; whatever was stored by
    /// then is removed.
    /// - Throws: `BackupError`, `StorageOpenError`, `CancellationError`.
    public func run() async throws -> Result {
        try Self.refuse(place: store, inside: directory)
        let start = ContinuousClock.now
        let name = BackupName(at: clock.now(), random: random)
        let scratch = try BackupScratch(in: directory)
        await removeAbandoned(by: scratch)
        scratch.begin(name, in: store.description)
        let run = BackupRun(job: self, name: name)
        do {
            let manifest = try await run.make(in: scratch)
            scratch.end()
            return Result(
                manifest: manifest, duration: start.duration(to: .now), largestLogBytes: run.largestLog.load(ordering: .relaxed))
        } catch {
            if await run.discard() { scratch.end() }
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            throw BackupError.of(error, during: "backup to \(store.description)")
        }
    }

    /// Removes what a killed run left in the place. Best effort: without a manifest it is no backup, and a sweep removes it a day later.
    private func removeAbandoned(by scratch: BackupScratch) async {
        guard let name = scratch.abandoned(in: store.description) else { return }
        do {
            let objects = try await store.list(name.prefix)
            // The manifest comes last: with it, the backup is complete.
            guard !objects.contains(where: { $0.name == name.prefix + BackupName.manifest }) else { return }
            for object in objects { try await store.delete(object.name) }
            try await (store as? DirectoryStore)?.removeFolder(String(name.prefix.dropLast()))
        } catch {
            // The run itself finds out what is wrong with the place.
        }
    }

    /// - Throws: `BackupError` for a directory store in the data directory, which would be lost with it.
    public static func refuse(place store: any BackupStore, inside directory: URL) throws {
        guard store is DirectoryStore else { return }
        let (place, data) = (resolved(store.description), resolved(directory.path))
        guard place == data || place.hasPrefix(data + "/") else { return }
        throw BackupError.refused(
            "\(store.description) is in the data directory \(directory.path): a lost disk takes both. Name a place on "
                + "another disk or machine")
    }

    /// The path without links, as far as it exists.
    static func resolved(_ path: String) -> String {
        var url = URL(filePath: path).absoluteURL.standardizedFileURL
        var rest: [String] = []
        while url.path != "/" {
            if let real = realpath(url.path, nil) {
                defer { free(real) }
                return ([String(cString: real)] + rest.reversed()).joined(separator: "/")
            }
            rest.append(url.lastPathComponent)
            url = url.deletingLastPathComponent()
        }
        return "/" + rest.reversed().joined(separator: "/")
    }
}

/// One run of a job.
private final class BackupRun: Sendable {
    let job: BackupJob
    let name: BackupName
    let largestLog = Atomic<Int64>(0)
    private let stored = Mutex<[String]>([])
    private let isCancelled = Atomic(false)

    init(job: BackupJob, name: BackupName) { (self.job, self.name) = (job, name) }

    func make(in scratch: BackupScratch) async throws -> BackupManifest {
        try await withTaskCancellationHandler {
            try await makeParts(in: scratch)
        } onCancel: {
            isCancelled.store(true, ordering: .releasing)
        }
    }

    private func makeParts(in scratch: BackupScratch) async throws -> BackupManifest {
        // Before anything is read: a place whose disk is not mounted is refused at once.
        try await (job.store as? DirectoryStore)?.check()
        let archiveFrom = try await job.archivePosition?()
        let small = try Self.smallFiles(of: job.directory)
        let database = job.directory.appending(path: "spark.db")
        let reader = SnapshotReader(
            largestLog: { self.noteLog($0) }, isCancelled: { self.isCancelled.load(ordering: .acquiring) })
        defer { reader.end() }
        // Read before the snapshot: what was committed before this time is in the backup, however long the snapshot takes to begin.
        let takenAt = job.clock.now()
        let state = try await reader.begin(database, directory: job.directory, maximumLogBytes: job.maximumLogBytes)
        let (parts, rows) = try await putPages(from: reader, state, in: scratch)
        reader.end()
        var files: [BackupManifest.Part] = []
        for (path, bytes) in small {
            let file = scratch.file(path)
            defer { unlink(file.path) }
            try DurableFile.replace(file.path, with: bytes, isLasting: false)
            files.append(try await put(file, as: "files/\(path)", path: path, in: scratch))
        }
        let manifest = BackupManifest(
            version: job.version, name: name.text, takenAt: takenAt, pageSize: state.pageSize, pageCount: state.pageCount,
            migrations: rows.migrations, rows: rows.counts, isEncrypted: job.sealing != nil, database: parts, files: files,
            logPosition: "\(String(state.position.salt, radix: 16)):\(state.position.frame)", archiveFrom: archiveFrom,
            archiveTo: try await job.archivePosition?())
        try await verify(parts + files)
        try Task.checkCancellation()
        try await publish(manifest, in: scratch)
        return manifest
    }

    /// Reads one part while the one before is stored, so that the snapshot ends as early as possible.
    private func putPages(
        from reader: SnapshotReader, _ state: SnapshotReader.State, in scratch: BackupScratch
    ) async throws -> ([BackupManifest.Part], SnapshotReader.Rows) {
        let pagesInPart = max(1, job.partBytes / state.pageSize)
        job.progress(.init(pages: 0, of: state.pageCount))
        return try await withThrowingTaskGroup(of: BackupManifest.Part.self) { group in
            var (parts, first): ([BackupManifest.Part], Int) = ([], 1)
            func finishOne() async throws {
                guard let part = try await group.next() else { return }
                parts.append(part)
                job.progress(.init(pages: parts.reduce(0) { $0 + $1.pages }, of: state.pageCount))
            }
            while first <= state.pageCount {
                try Task.checkCancellation()
                let count = min(pagesInPart, state.pageCount - first + 1)
                let number = String((first - 1) / pagesInPart + 1)
                let part = "database/\(String(repeating: "0", count: max(0, 6 - number.count)))\(number).lz4"
                let file = scratch.file(part)
                try await reader.write(first, count: count, into: file)
                try await finishOne()
                group.addTask { [self] in
                    defer { unlink(file.path) }
                    return try await put(file, as: part, pages: count, in: scratch)
                }
                first += count
            }
            let rows = try await reader.rows()
            reader.end()
            try await finishOne()
            return (parts, rows)
        }
    }

    /// Writes the seal and then the manifest, which makes the backup visible.
    private func publish(_ manifest: BackupManifest, in scratch: BackupScratch) async throws {
        let file = scratch.file(BackupName.manifest)
        defer { unlink(file.path) }
        try DurableFile.replace(file.path, with: JSONWriter.bytes(of: manifest) + [0x0A], isLasting: false)
        let seal = scratch.file(BackupName.seal)
        defer { unlink(seal.path) }
        let digest = try FileDigest.of(file)
        try DurableFile.replace(seal.path, with: Array("\(digest)\n".utf8), isLasting: false)
        let sealPart = try await put(seal, as: BackupName.seal, in: scratch)
        try await verify([sealPart])
        note(BackupName.manifest)
        try await job.store.put(file, as: name.prefix + BackupName.manifest)
        let bytes = FileStatus(path: file.path)?.bytes ?? 0
        try await verify([.init(name: BackupName.manifest, bytes: bytes, sha256: digest)])
    }

    /// Encrypts a file and puts it into the store.
    private func put(
        _ file: URL, as part: String, pages: Int = 0, path: String = "", in scratch: BackupScratch
    ) async throws -> BackupManifest.Part {
        guard let sealing = job.sealing else { return try await store(file, as: part, pages: pages, path: path) }
        let sealed = scratch.file(part + sealing.suffix)
        defer { unlink(sealed.path) }
        try await BlockingWork.run { try sealing.seal(file, into: sealed) }
        return try await store(sealed, as: part + sealing.suffix, pages: pages, path: path)
    }

    private func store(_ file: URL, as part: String, pages: Int, path: String) async throws -> BackupManifest.Part {
        let (digest, bytes) = try await BlockingWork.run { (try FileDigest.of(file), FileStatus(path: file.path)?.bytes ?? 0) }
        note(part)
        try await job.store.put(file, as: name.prefix + part)
        return BackupManifest.Part(name: part, bytes: bytes, sha256: digest, pages: pages, path: path)
    }

    private func note(_ part: String) { stored.withLock { $0.append(name.prefix + part) } }

    private func noteLog(_ bytes: Int64) {
        if bytes > largestLog.load(ordering: .relaxed) { largestLog.store(bytes, ordering: .relaxed) }
    }

    /// Compares the store's objects with what was sent: their content where the store can say it, otherwise their sizes.
    private func verify(_ parts: [BackupManifest.Part]) async throws {
        let sizes = Dictionary(try await job.store.list(name.prefix).map { ($0.name, $0.size) }) { first, _ in first }
        for part in parts {
            try Task.checkCancellation()
            guard sizes[name.prefix + part.name] == part.bytes else {
                throw BackupError.unavailable("\(name.prefix)\(part.name) has another size in the store than what was sent")
            }
            guard let store = job.store as? any CheckingStore else { continue }
            guard try await store.digest(of: name.prefix + part.name) == part.sha256 else {
                throw BackupError.unavailable("\(name.prefix)\(part.name) has another content in the store than what was sent")
            }
        }
    }

    /// Removes what is in the store, the manifest first. Best effort: what stays has no manifest and is swept later.
    /// - Returns: whether nothing stays.
    func discard() async -> Bool {
        let names = stored.withLock { $0 }
        let store = job.store
        // The task may be cancelled, and the store must still work.
        return await Task.detached {
            do {
                for name in names.reversed() { try await store.delete(name) }
                return true
            } catch {
                // Each further object would take as long to fail.
                return false
            }
        }.value
    }

    private static func smallFiles(of directory: URL) throws -> [(path: String, bytes: [UInt8])] {
        let files = try BackupJob.files.compactMap { path in
            try DurableFile.contents(of: directory.appending(path: path).path, atMost: 1 << 20).map { (path, $0) }
        }
        guard files.contains(where: { $0.0 == BackupJob.keyFile && $0.1.count == BackupJob.keyBytes }) else {
            throw BackupError.refused(
                "\(BackupJob.keyFile) of \(directory.path) is gone or not whole, and no backup is one without it: put it back "
                    + "from an earlier backup")
        }
        return files
    }
}

/// Blocking work away from the cooperative threads.
enum BlockingWork {
    private static let thread = DispatchQueue(label: "spark.backup.files", qos: .utility, attributes: .concurrent)

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            thread.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
