import Crypto
import Dispatch
public import Foundation
import Glibc
import SparkFiles

/// A store that can say what an object really contains.
package protocol CheckingStore: BackupStore {
    /// SHA-256 of an object as it is on the disk.
    /// - Throws: `BackupStoreError`.
    func digest(of name: String) async throws -> String
}

/// A directory as a store. Objects are files below it, readable by their owner only.
///
/// An object is written under another name, synchronized, renamed, and its folder is synchronized: it is whole, or it is not there. The
/// data goes to the disk in pieces, so that a large object does not hold up the commits of a server on the same disk.
public struct DirectoryStore: CheckingStore {
    private let root: URL
    private let keeper: PlaceGuard?
    private let thread = DispatchQueue(label: "spark.backup.directory", qos: .utility)
    /// How much is written between two synchronizations, in bytes.
    private static let piece = 4 << 20
    private static let buffer = 1 << 20

    /// - Parameters:
    ///   - root: the directory; without a keeper it is created when the first object comes.
    ///   - keeper: checks before everything that the directory is the right one; nil for no check.
    public init(_ root: URL, keeper: PlaceGuard? = nil) {
        (self.root, self.keeper) = (root.absoluteURL.standardizedFileURL, keeper)
    }

    /// The path.
    public var description: String { root.path }

    public func put(_ file: URL, as name: String) async throws {
        try await run(name) { path in
            try DurableFile.makeDirectory((path as NSString).deletingLastPathComponent)
            let source = Glibc.open(file.path, O_RDONLY | O_CLOEXEC)
            guard source >= 0 else { throw FileError(operation: "read", path: file.path, fault: FileFault(code: errno)) }
            defer { close(source) }
            try DurableFile.replace(
                path, synchronizingEvery: Self.piece,
                parts: { write in try Self.forEachPiece(of: source, file.path) { try write($0) } })
        }
    }

    public func get(_ name: String, into file: URL) async throws {
        try await run(name) { path in
            let source = try Self.open(path, name)
            defer { close(source) }
            try DurableFile.replace(
                file.path, isLasting: false,
                parts: { write in
                    try Self.forEachPiece(of: source, path) { try write($0) }
                })
        }
    }

    public func list(_ prefix: String) async throws -> [StoredObject] {
        try await run("") { _ in
            // Only the folder that the prefix names is walked.
            let folder =
                prefix.contains("/")
                ? prefix.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") : ""
            var found: [StoredObject] = []
            try Self.walk(
                root.path + (folder.isEmpty ? "" : "/" + folder), below: folder.isEmpty ? "" : folder + "/", into: &found)
            return found.filter { $0.name.hasPrefix(prefix) }.sorted { $0.name < $1.name }
        }
    }

    public func delete(_ name: String) async throws {
        try await run(name) { path in
            try DurableFile.remove(path)
            // Folders that became empty go as well, up to the root.
            var folder = (path as NSString).deletingLastPathComponent
            while folder.hasPrefix(root.path + "/"), rmdir(folder) == 0 {
                folder = (folder as NSString).deletingLastPathComponent
            }
        }
    }

    /// Removes a folder with all that is in it, drafts as well; succeeds if there is none.
    func removeFolder(_ name: String) async throws {
        try await run(name) { path in
            guard FileStatus(path: path) != nil else { return }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    package func digest(of name: String) async throws -> String {
        try await run(name) { path in
            let source = try Self.open(path, name)
            defer { close(source) }
            // Read what is on the disk rather than what was just written to memory, as far as the system forgets the latter.
            posix_fadvise(source, 0, 0, POSIX_FADV_DONTNEED)
            var hash = SHA256()
            try Self.forEachPiece(of: source, path) { hash.update(bufferPointer: $0) }
            return Hexadecimal.text(of: hash.finalize())
        }
    }

    /// Runs blocking work on a thread of its own and translates errors.
    private func run<Value: Sendable>(_ name: String, _ body: @escaping @Sendable (String) throws -> Value) async throws -> Value
    {
        guard Self.isName(name) else { throw BackupStoreError.refused("\(name) is no name of an object") }
        let path = "\(root.path)/\(name)"
        return try await withCheckedThrowingContinuation { continuation in
            thread.async {
                let result = Result {
                    try Self.translating {
                        try keeper?.admit(root)
                        return try body(path)
                    }
                }
                continuation.resume(with: result)
            }
        }
    }

    /// Checks that the directory is there and is the right one, and makes it if it may be made.
    /// - Throws: `BackupStoreError`.
    public func check() async throws { try await run("") { _ in } }

    /// The same check, which changes nothing. Blocks.
    /// - Throws: `BackupStoreError`.
    public func look() throws { try Self.translating { try keeper?.look(at: root) } }

    /// Checks that there is a directory that can have backups. For a place that is only read. Blocks.
    /// - Throws: `BackupError.refused`.
    func requireThere() throws {
        var status = stat()
        guard stat(root.path, &status) == 0 else {
            let reason = errno == ENOENT ? "there is no such directory" : String(cString: strerror(errno))
            throw BackupError.refused("\(root.path): \(reason); is the name right, and is its disk mounted?")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw BackupError.refused("\(root.path) is not a directory; name what spark backup had as TO")
        }
        guard FileStatus(path: root.appending(path: "spark.db").path) == nil else {
            throw BackupError.refused(
                "\(root.path) is a data directory, not a place of backups; name what spark backup had as TO")
        }
    }

    private static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as FileError {
            if error.fault.isOutOfSpace {
                throw BackupStoreError.refused("\(error.path): the disk is full; make room there, or name another place")
            }
            if error.operation == "read", error.fault.code == EIO { throw BackupStoreError.damaged("\(error)") }
            let hint =
                switch error.fault.code {
                case EACCES, EPERM: "; give the user of spark the right to write there"
                case EROFS: "; it is mounted read-only"
                case ENOTDIR, EEXIST: "; something on the way is not a folder"
                default: ""
                }
            throw BackupStoreError.refused("\(error)\(hint)")
        }
    }

    private static func open(_ path: String, _ name: String) throws -> Int32 {
        let source = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard source >= 0 else {
            if errno == ENOENT { throw BackupStoreError.missing(name) }
            throw FileError(operation: "read", path: path, fault: FileFault(code: errno))
        }
        return source
    }

    private static func forEachPiece(of source: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer, alignment: 4_096)
        defer { memory.deallocate() }
        while true {
            let count: Int
            do throws(FileFault) {
                count = try FileFault.check { Glibc.read(source, memory.baseAddress, memory.count) }
            } catch {
                throw FileError(operation: "read", path: path, fault: error)
            }
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
        }
    }

    private static func walk(_ path: String, below prefix: String, into found: inout [StoredObject]) throws {
        guard let stream = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw FileError(operation: "list", path: path, fault: FileFault(code: errno))
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name != ".", name != "..", isName(name) else { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            if Draft.isDraft(name) {
                removeIfDead("\(path)/\(name)", status)
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try walk("\(path)/\(name)", below: "\(prefix)\(name)/", into: &found)
            case S_IFREG: found.append(StoredObject(name: prefix + name, size: Int64(status.st_size)))
            default: break
            }
        }
    }

    /// Removes what a process that died left of an object. Best effort: it counts as nothing in any case.
    private static func removeIfDead(_ path: String, _ status: stat) {
        guard status.st_mode & S_IFMT == S_IFREG,
            FileStatus.kernelTime / 1_000_000_000 - Int64(status.st_mtim.tv_sec) > draftSeconds
        else { return }
        if unlink(path) == 0 { rmdir((path as NSString).deletingLastPathComponent) }
    }

    /// Every draft that a living process writes changes more often.
    private static let draftSeconds: Int64 = 86_400

    private static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/")].contains(byte)
        }
        return isPlain && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    }
}

/// Lower-case hexadecimal digits.
enum Hexadecimal {
    static func text(of bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
