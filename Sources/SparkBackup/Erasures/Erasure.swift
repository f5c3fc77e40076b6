import Crypto
import Foundation
public import SparkCore

/// An erased person: an identifier and a time, nothing else.
public struct Erasure: Hashable, Sendable {
    /// The erased person.
    public let user: UserID
    /// When the person was erased, or when the server noticed it.
    public let at: Timestamp

    /// Creates an entry.
    public init(user: UserID, at: Timestamp) { (self.user, self.at) = (user, at) }

    /// The entry as a line of a list: the identifier, and milliseconds since 1970.
    var line: String { "\(user.wire) \(at.milliseconds)\n" }

    /// Reads a line; nil for any other text.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2, let user = UserID(wire: words[0]), let milliseconds = Int64(words[1]),
            0...SegmentName.largest ~= milliseconds
        else { return nil }
        self.init(user: user, at: Timestamp(milliseconds: milliseconds))
    }

    /// The entries of a list, each person once, with the latest time. A line that was cut off by a crash is left out.
    static func list(_ bytes: some Sequence<UInt8>) -> [Erasure] {
        distinct(String(decoding: Array(bytes), as: UTF8.self).split(separator: "\n").compactMap { Erasure(line: $0) })
    }

    /// Each person once, in the order in which they come first, with the latest time: until then the person may be in a backup.
    static func distinct(_ erasures: [Erasure]) -> [Erasure] {
        var times: [UserID: Timestamp] = [:]
        for erasure in erasures { times[erasure.user] = max(times[erasure.user] ?? erasure.at, erasure.at) }
        return erasures.compactMap { erasure in
            times.removeValue(forKey: erasure.user).map { Erasure(user: erasure.user, at: $0) }
        }
    }

    /// The entries of a list that must be whole: of which only the last line may have been cut off by a crash. Nil for any other list.
    static func list(whole bytes: [UInt8]) -> [Erasure]? {
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n")
        let entries = lines.compactMap { Erasure(line: $0) }
        return entries.count == lines.count && (end > 0 || bytes.isEmpty) ? distinct(entries) : nil
    }

    /// Reads the entries of an object. Returns nil unless the object is exactly what `object` made: if an entry were lost, a
    /// restoration would bring that person back.
    static func list(object bytes: [UInt8]) -> [Erasure]? {
        // The last line without its end.
        let body = bytes.dropLast()
        guard bytes.last == UInt8(ascii: "\n"), let line = body.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        let entries = bytes[...line]
        guard body[(line + 1)...].elementsEqual(mark(of: entries).utf8) else { return nil }
        return list(entries)
    }

    /// A list with its checksum, for a store.
    static func object(_ erasures: some Sequence<Erasure>) -> [UInt8] {
        let entries = text(erasures)
        return entries + Array("\(mark(of: entries[...]))\n".utf8)
    }

    private static func mark(of entries: ArraySlice<UInt8>) -> String { "sha256 \(SHA256.hash(data: entries).hexadecimal)" }

    /// The text of a list.
    static func text(_ erasures: some Sequence<Erasure>) -> [UInt8] { erasures.flatMap { Array($0.line.utf8) } }
}
