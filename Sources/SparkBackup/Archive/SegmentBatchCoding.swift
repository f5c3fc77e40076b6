import CLZ4
import Foundation

extension SegmentBatch {
    /// The content of a batch record: counts, the place after it, the times, and frames and pages compressed by LZ4.
    /// - Parameter frames: Committed frames as they are in the log.
    static func encoded(_ frames: LogTail.Frames, times: [Int64], pageSize: Int) -> [UInt8] {
        let size = LogTail.frameHeaderBytes + pageSize
        var raw: [UInt8] = []
        raw.reserveCapacity(frames.count * (8 + pageSize))
        frames.bytes.withUnsafeBytes { bytes in
            for index in 0..<frames.count {
                raw.append(number: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index * size, as: UInt32.self)))
                raw.append(number: frames.commits[index])
            }
            for index in 0..<frames.count {
                raw.append(contentsOf: bytes[(index * size + LogTail.frameHeaderBytes)..<((index + 1) * size)])
            }
        }
        var content: [UInt8] = []
        content.append(number: UInt32(frames.count))
        content.append(number: UInt32(times.count))
        content += frames.end.encoded
        for time in times { content.append(number: time) }
        let room = Int(LZ4_compressBound(Int32(raw.count)))
        content += [UInt8](unsafeUninitializedCapacity: room) { packed, count in
            count = raw.withUnsafeBytes { raw in
                Int(
                    LZ4_compress_default(
                        raw.baseAddress?.assumingMemoryBound(to: CChar.self),
                        UnsafeMutableRawPointer(packed.baseAddress)?.assumingMemoryBound(to: CChar.self), Int32(raw.count),
                        Int32(room)))
            }
        }
        return content
    }

    /// Reads the content of a batch record; nil if it is not one.
    init?(_ content: ArraySlice<UInt8>, pageSize: Int) {
        var cursor = ByteCursor(content)
        guard let count = cursor.number(UInt32.self), count > 0, count <= SegmentFormat.batchFrames,
            let commits = cursor.number(UInt32.self), commits <= count, let end = LogPlace(&cursor)
        else { return nil }
        var times: [Int64] = []
        for _ in 0..<commits {
            guard let time = cursor.number(Int64.self) else { return nil }
            times.append(time)
        }
        let size = Int(count) * (8 + pageSize)
        guard let packed = cursor.bytes(cursor.left), let raw = Self.unpack(packed, into: size) else { return nil }
        var words = ByteCursor(raw[...])
        var frames: [(page: UInt32, databasePages: UInt32)] = []
        frames.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let page = words.number(UInt32.self), page > 0, let pages = words.number(UInt32.self) else { return nil }
            frames.append((page, pages))
        }
        guard frames.count(where: { $0.databasePages != 0 }) == times.count, let pages = words.bytes(words.left) else {
            return nil
        }
        self.init(frames: frames, pages: Array(pages), times: times, end: end)
    }

    private static func unpack(_ packed: ArraySlice<UInt8>, into size: Int) -> [UInt8]? {
        var written = -1
        let raw = [UInt8](unsafeUninitializedCapacity: size) { room, count in
            written = packed.withUnsafeBytes { packed in
                Int(
                    LZ4_decompress_safe(
                        packed.baseAddress?.assumingMemoryBound(to: CChar.self),
                        UnsafeMutableRawPointer(room.baseAddress)?.assumingMemoryBound(to: CChar.self), Int32(packed.count),
                        Int32(size)))
            }
            count = max(0, written)
        }
        return written == size ? raw : nil
    }
}
