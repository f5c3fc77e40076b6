import Crypto
import Foundation
import Glibc
import SparkFiles
import Synchronization

/// The name of a pack in a store: `archive/<generation>/<first>-<number>-<commits>-<first time>-<last time>.pack`. It has the segments
/// from one number to another; the rest is that of a segment with all that they have.
struct SegmentPackName: Hashable, Sendable {
    static let suffix = ".pack"

    /// The number of the first segment.
    var firstNumber: Int64
    /// The number and the end of the last segment, with the times of all.
    var name: SegmentName

    /// The object's name in a store.
    var object: String {
        let file = name.file.dropLast(SegmentName.suffix.count)
        return "\(SegmentName.folder)/\(name.generation)/\(SegmentName.padded(firstNumber, 10))-\(file)\(Self.suffix)"
    }

    init(_ segments: [SegmentName]) {
        let last = segments[segments.count - 1]
        self.firstNumber = segments[0].number
        self.name = SegmentName(
            generation: last.generation, number: last.number, commits: last.commits,
            first: segments.map(\.first).min() ?? last.first, last: segments.map(\.last).max() ?? last.last)
    }

    /// The pack of an object; nil for any other object.
    init?(object: String) {
        let parts = object.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == SegmentName.folder, !parts[1].isEmpty, parts[2].hasSuffix(Self.suffix) else {
            return nil
        }
        let file = parts[2].dropLast(Self.suffix.count)
        guard let dash = file.firstIndex(of: "-"), let first = Int64(file[..<dash]), first > 0,
            let name = SegmentName(
                file: file[file.index(after: dash)...] + SegmentName.suffix, generation: String(parts[1])),
            name.number >= first
        else { return nil }
        (self.firstNumber, self.name) = (first, name)
    }
}

/// The form of a pack: segments one after the other as they are in the store, encrypted or not, so that merging them needs no
/// key. Integers are little-endian.
///
/// After a mark of 8 bytes, each segment has a header: the length of its file's name, the length of its content, the content's SHA-256,
/// the name, and the CRC-32 of these. A header without a name ends the pack: it has the number of segments and the SHA-256 of everything
/// before it.
enum SegmentPackFormat {
    static let magic: [UInt8] = Array("SPARKPK1".utf8)
    static let endBytes = 4 + 8 + SegmentFormat.digestBytes + 4
    static let longestName = 512
    /// The most segments.
    static let mostSegments = 8_192

    static func header(name: String, length: Int, digest: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        let name = Array(name.utf8)
        bytes.append(number: UInt32(name.count))
        bytes.append(number: UInt64(length))
        bytes += digest + name
        bytes.append(number: SegmentFormat.crc(bytes))
        return bytes
    }
}

/// Writes a pack into a file. One segment at a time is in memory. Blocks.
final class SegmentPackWriter: Sendable {
    private struct State {
        var hash = SHA256()
        var bytes = 0
        var count = 0
    }

    private let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    /// Creates the file.
    init(_ file: URL) throws {
        self.path = file.path
        do throws(FileFault) {
            self.descriptor = try SystemFiles().create(path)
        } catch {
            throw FileError(operation: "create", path: path, fault: error)
        }
        try state.withLock { try write(SegmentPackFormat.magic, &$0) }
    }

    deinit { close(descriptor) }

    /// The bytes so far.
    var bytes: Int { state.withLock { $0.bytes } }

    /// - Parameter name: The name of the object's file.
    func append(_ content: [UInt8], name: String) throws {
        let header = SegmentPackFormat.header(name: name, length: content.count, digest: Array(SHA256.hash(data: content)))
        try state.withLock { state in
            try write(header, &state)
            try write(content, &state)
            state.count += 1
        }
    }

    /// Writes the end, and puts the file on the disk.
    func end() throws {
        try state.withLock { state in
            let digest = Array(state.hash.finalize())
            try write(SegmentPackFormat.header(name: "", length: state.count, digest: digest), &state)
        }
        do throws(FileFault) {
            try SystemFiles().synchronize(descriptor)
        } catch {
            throw FileError(operation: "synchronize", path: path, fault: error)
        }
    }

    private func write(_ content: [UInt8], _ state: inout State) throws {
        do throws(FileFault) {
            try SystemFiles().writeWhole(descriptor, content, at: state.bytes)
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
        state.hash.update(data: content)
        state.bytes += content.count
    }
}

/// Reads a pack. Everything in it is checked before anything of it is returned.
final class SegmentPackReader {
    struct Entry {
        var name: SegmentName
        /// The name of the object's file, which says whether it is encrypted.
        var file: String
        fileprivate var place: Int
        fileprivate var length: Int
    }

    /// The segments in their order.
    private(set) var entries: [Entry] = []
    private let path: String
    private let object: String
    private let descriptor: Int32

    /// - Parameter object: The pack's name, for messages.
    /// - Throws: `ArchiveError.damaged`, `FileError`.
    init(_ file: URL, _ name: SegmentPackName, object: String) throws {
        (self.path, self.object) = (file.path, object)
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw FileError(operation: "read", path: path, fault: FileFault(code: errno)) }
        let size = Int(FileStatus(descriptor: descriptor)?.bytes ?? 0)
        let end = size - SegmentPackFormat.endBytes
        guard end >= SegmentPackFormat.magic.count, try bytes(at: 0, SegmentPackFormat.magic.count) == SegmentPackFormat.magic
        else {
            throw damaged("it is no pack of segments")
        }
        let trailer = try header(at: end)
        guard let trailer, trailer.name.isEmpty, try digest(of: end) == trailer.digest else {
            throw damaged("its checksum is wrong")
        }
        var place = SegmentPackFormat.magic.count
        while place < end {
            guard let next = try header(at: place), next.length <= end, next.place + next.length <= end,
                let segment = SegmentName(file: next.name, generation: name.name.generation),
                segment.number == name.firstNumber + Int64(entries.count)
            else { throw damaged("its list of segments is wrong") }
            entries.append(Entry(name: segment, file: next.name, place: next.place, length: next.length))
            place = next.place + next.length
        }
        guard entries.count == trailer.length, let last = entries.last, last.name.number == name.name.number,
            last.name.commits == name.name.commits
        else { throw damaged("it has other segments than its name says") }
    }

    deinit { close(descriptor) }

    /// Copies a segment into a new file.
    func copy(_ entry: Entry, into file: URL) throws {
        try DurableFile.replace(file.path, with: try bytes(at: entry.place, entry.length), isLasting: false)
    }

    private func damaged(_ reason: String) -> ArchiveError { .damaged(segment: object, reason) }

    /// The header at a place, and the place after it; nil if there is none.
    private func header(at place: Int) throws -> (name: String, length: Int, digest: [UInt8], place: Int)? {
        let fixed = 4 + 8 + SegmentFormat.digestBytes
        let start = try bytes(at: place, fixed)
        var cursor = ByteCursor(start[...])
        guard let count = cursor.number(UInt32.self), count <= SegmentPackFormat.longestName,
            let length = cursor.number(UInt64.self), length <= UInt64(Int32.max),
            let digest = cursor.bytes(SegmentFormat.digestBytes)
        else { return nil }
        let rest = try bytes(at: place + fixed, Int(count) + 4)
        guard rest.count == Int(count) + 4 else { return nil }
        var sum = ByteCursor(rest.suffix(4))
        guard sum.number(UInt32.self) == SegmentFormat.crc(start + rest.dropLast(4)) else { return nil }
        return (
            String(decoding: rest.dropLast(4), as: UTF8.self), Int(length), Array(digest), place + fixed + rest.count
        )
    }

    private func digest(of count: Int) throws -> [UInt8] {
        var (hash, place) = (SHA256(), 0)
        while place < count {
            let part = try bytes(at: place, min(1 << 20, count - place))
            guard !part.isEmpty else { break }
            hash.update(data: part)
            place += part.count
        }
        return Array(hash.finalize())
    }

    /// As many of the bytes as there are.
    private func bytes(at place: Int, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        var done = 0
        do throws(FileFault) {
            while done < bytes.count {
                let room = bytes.count - done
                let read = try FileFault.check {
                    bytes.withUnsafeMutableBytes { memory in
                        pread(descriptor, memory.baseAddress.map { $0 + done }, room, off_t(place + done))
                    }
                }
                if read == 0 { break }
                done += read
            }
        } catch {
            throw FileError(operation: "read", path: path, fault: error)
        }
        return Array(bytes.prefix(done))
    }
}
