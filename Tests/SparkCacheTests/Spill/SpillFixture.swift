import Crypto
import Foundation
import Logging
import SparkCore
import Synchronization

@testable import SparkCache

/// A spill in its own directory, with means to write to it, damage it and open it again.
final class SpillFixture {
    let directory: URL
    let files = FaultyFiles()
    let time = SteppedTime()
    let random: SeededRandomSource
    var budget = 4 << 20
    var segmentBytes = 64 << 10
    var isWarm = true
    var fingerprint = "one"
    var boot = "boot"
    var key = SymmetricKey(data: [UInt8](repeating: 7, count: 32))
    var stamps = StampTable(count: 1_024)
    var namespaces: [SpillNamespace] = [SpillNamespace(identity: 9, isCompressed: false)]

    init(seed: UInt64 = 1) {
        random = SeededRandomSource(seed: seed)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("spill-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func open() -> Spill {
        var configuration = SpillConfiguration(
            directory: directory, budget: budget, key: key, isWarm: isWarm, fingerprint: fingerprint)
        configuration.segmentBytes = segmentBytes
        configuration.bootIdentity = boot
        configuration.files = files
        configuration.random = random
        let time = time
        configuration.monotonic = { time.now }
        configuration.breaker.threshold = 3
        return Spill(configuration, namespaces: namespaces, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Opens the spill as a warm start does, with new stamps.
    func start() -> (spill: Spill, isRestored: Bool) {
        let spill = open()
        stamps = StampTable(count: stamps.count)
        return (spill, spill.restoreStamps(into: stamps))
    }

    func key(_ number: Int, namespace: UInt32 = 1) -> EntryKey {
        EntryKey(namespace: namespace, key: CacheKey(high: 5, low: UInt64(number)))
    }

    func entry(_ number: Int, namespace: UInt32 = 1, _ value: [UInt8], tags: [CacheTag] = [], in spill: Spill) -> SpilledEntry {
        let key = key(number, namespace: namespace)
        return SpilledEntry(
            key: key, hash: key.hash(seed: spill.seed), expiresAt: 1_000 + Int64(number), stamps: tags.map(stamps.stamp(of:)),
            value: value)
    }

    /// The names of the files with this prefix, sorted.
    func names(_ prefix: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return all.filter { $0.hasPrefix(prefix) }.sorted { ($0.count, $0) < ($1.count, $1) }
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appendingPathComponent(name))) }

    /// In place, so that an open descriptor sees the damage.
    func overwrite(_ name: String, _ bytes: [UInt8]) throws {
        let handle = try FileHandle(forUpdating: directory.appendingPathComponent(name))
        try handle.write(contentsOf: Data(bytes))
        try handle.truncate(atOffset: UInt64(bytes.count))
        try handle.close()
    }

    /// All files of the directory.
    func contents() throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try names("").map { ($0, try bytes($0)) })
    }

    /// Restores all files of the directory.
    func restore(_ contents: [String: [UInt8]]) throws {
        for name in names("") { try POSIXFiles().remove(directory.path + "/" + name) }
        for (name, bytes) in contents { try POSIXFiles().store(bytes, at: directory.path + "/" + name) }
    }

    var bytesOnDisk: Int {
        ((try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: [.fileSizeKey])) ?? [])
            .reduce(0) { $0 + ((try? $1.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0) }
    }
}

extension Spill {
    /// The value, or nil when the read does not return an entry.
    func value(_ location: SpillLocation, _ key: EntryKey) -> [UInt8]? {
        if case .entry(let entry) = read(location, key: key) { entry.value } else { nil }
    }

    /// The recovered locations by hash, as an index would hold them.
    func recoveredIndex() -> (index: [UInt64: SpillLocation], result: SpillRecovery) {
        var index: [UInt64: SpillLocation] = [:]
        let result = recover { index[$0] = $1 }
        return (index, result)
    }
}

/// A manual clock.
final class SteppedTime: Sendable {
    private let nanoseconds = Atomic<UInt64>(0)
    var now: UInt64 { nanoseconds.load(ordering: .relaxed) }
    func advance(seconds: UInt64) { nanoseconds.add(seconds * 1_000_000_000, ordering: .relaxed) }
}

/// The files of the operating system, with failures on demand.
final class FaultyFiles: SpillFiles {
    struct Faults {
        var write: Int32?
        /// Bytes that a failing write still writes.
        var tornBytes = 0
        var append: Int32?
        var read: Int32?
        var open: Int32?
        var makeDirectory: Int32?
        var remove: Int32?
        /// Every read is cold.
        var isCold = false
        /// The most bytes of one transfer.
        var largestTransfer = Int.max
    }

    private let real = POSIXFiles()
    private let held = Mutex(Faults())

    var faults: Faults {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    private func check(_ code: Int32?) throws(SpillFault) {
        if let code { throw SpillFault(code: code) }
    }

    func makeDirectory(_ path: String) throws(SpillFault) {
        try check(faults.makeDirectory)
        try real.makeDirectory(path)
    }

    func names(in directory: String) throws(SpillFault) -> [String] { try real.names(in: directory) }

    func open(_ path: String, _ mode: SpillFileMode) throws(SpillFault) -> Int32 {
        try check(faults.open)
        return try real.open(path, mode)
    }

    func close(_ descriptor: Int32) { real.close(descriptor) }
    func size(_ descriptor: Int32) throws(SpillFault) -> Int { try real.size(descriptor) }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        let faults = faults
        if let code = faults.write {
            let torn = UnsafeRawBufferPointer(rebasing: bytes.prefix(faults.tornBytes))
            if !torn.isEmpty { _ = try real.write(descriptor, torn, at: offset) }
            throw SpillFault(code: code)
        }
        return try real.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(faults.largestTransfer)), at: offset)
    }

    func append(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SpillFault) -> Int {
        try check(faults.append)
        return try real.append(descriptor, bytes)
    }

    func read(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        let faults = faults
        try check(faults.read)
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(faults.largestTransfer))
        return try real.read(descriptor, into: part, at: offset)
    }

    func readNow(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int? {
        let faults = faults
        try check(faults.read)
        return faults.isCold ? nil : try real.readNow(descriptor, into: bytes, at: offset)
    }

    func truncate(_ descriptor: Int32, to length: Int) throws(SpillFault) { try real.truncate(descriptor, to: length) }
    func synchronize(_ descriptor: Int32) throws(SpillFault) { try real.synchronize(descriptor) }
    func rename(_ path: String, to newPath: String) throws(SpillFault) { try real.rename(path, to: newPath) }

    func remove(_ path: String) throws(SpillFault) {
        try check(faults.remove)
        try real.remove(path)
    }
}
