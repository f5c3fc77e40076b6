import Crypto
import Foundation
import SparkFiles
import SparkTelemetry

/// The history on disk: one file with a digest, written as a whole and replaced atomically.
///
/// Contains only recorded metrics, so no personal data.
enum HistoryFile {
    /// The last character is the version of the format.
    private static let mark = Array("spark-history-2\n".utf8)
    /// The mark of a file without lasting samples, which earlier versions wrote.
    private static let earlierMark = Array("spark-history-1\n".utf8)
    private static let digestBytes = 32
    /// A longer file is not a history file.
    private static let longest = 256 << 20

    static func write(_ state: HistoryState, to file: URL) throws {
        try DurableFile.makeDirectory(file.deletingLastPathComponent().path)
        let body = bytes(of: state)
        try DurableFile.replace(file.path, with: mark + Array(SHA256.hash(data: body)) + body)
    }

    /// - Parameter now: milliseconds since 1970.
    /// - Returns: false for a file that is damaged or in another format; true if there is no file.
    static func read(_ file: URL, into state: inout HistoryState, at now: Int64) -> Bool {
        guard FileManager.default.fileExists(atPath: file.path) else { return true }
        let size = (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
        guard size <= longest, let data = try? Data(contentsOf: file) else { return false }
        let body = Array(data.dropFirst(mark.count + digestBytes))
        let isEarlier = data.starts(with: earlierMark)
        guard isEarlier || data.starts(with: mark),
            data.dropFirst(mark.count).prefix(digestBytes).elementsEqual(SHA256.hash(data: body)),
            let saved = saved(in: body, isEarlier: isEarlier)
        else { return false }
        state.restore(saved, at: now)
        return true
    }

    private static func bytes(of state: HistoryState) -> [UInt8] {
        var writer = ByteWriter()
        writer.variable(UInt64(state.keys.count))
        for (number, key) in state.keys {
            writer.variable(UInt64(number))
            writer.text(key.name)
            writer.variable(UInt64(key.labels.count))
            for label in key.labels {
                writer.text(label.name)
                writer.text(label.value)
            }
        }
        for tier in [state.fine, state.coarse, state.lasting] { write(tier.packed, with: &writer) }
        return writer.bytes
    }

    private static func write(_ chunks: [HistoryTier.Chunk], with writer: inout ByteWriter) {
        writer.variable(UInt64(chunks.count))
        for chunk in chunks {
            writer.block(SampleColumn(chunk.times.map(Double.init)).bytes)
            writer.variable(UInt64(chunk.times.count))
            writer.variable(UInt64(chunk.columns.count))
            for (series, column) in chunk.columns {
                writer.variable(UInt64(series))
                writer.block(column.bytes)
            }
        }
    }

    /// The parsed body of a file; nil if it is invalid.
    private static func saved(in body: [UInt8], isEarlier: Bool) -> HistoryState.Saved? {
        var reader = ByteReader(body)
        var saved = HistoryState.Saved()
        guard let count = reader.count() else { return nil }
        for _ in 0..<count {
            guard let number = reader.number(), let name = reader.text(), let labelCount = reader.count() else { return nil }
            var labels: [MetricLabel] = []
            for _ in 0..<labelCount {
                guard let name = reader.text(), let value = reader.text() else { return nil }
                labels.append(MetricLabel(name: name, value: value))
            }
            saved.keys[number] = HistoryState.Key(name: name, labels: labels)
        }
        guard let fine = reader.chunks(), let coarse = reader.chunks(), let lasting = isEarlier ? [] : reader.chunks(),
            reader.isAtEnd
        else { return nil }
        (saved.fine, saved.coarse, saved.lasting) = (fine, coarse, lasting)
        return saved
    }
}

extension ByteReader {
    /// A series number.
    fileprivate mutating func number() -> Int? { variable().flatMap { $0 < 1 << 32 ? Int($0) : nil } }

    fileprivate mutating func chunks() -> [HistoryTier.Chunk]? {
        guard let count = count() else { return nil }
        var chunks: [HistoryTier.Chunk] = []
        for _ in 0..<count {
            guard let packed = block(), let length = variable(), length <= UInt64(HistoryTier.chunkLength),
                let times = SampleColumn(bytes: packed).values(count: Int(length)), let width = self.count()
            else { return nil }
            var columns: [Int: SampleColumn] = [:]
            for _ in 0..<width {
                guard let series = number(), let column = block() else { return nil }
                columns[series] = SampleColumn(bytes: column)
            }
            let whole = times.compactMap { Int64(exactly: $0) }
            guard whole.count == times.count, zip(whole, whole.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
            chunks.append(HistoryTier.Chunk(times: whole, columns: columns))
        }
        return chunks
    }
}
