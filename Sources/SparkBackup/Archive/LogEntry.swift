public import SparkCore

/// An entry of the operators' log, as the pages of a database have it: a row of the table `spark_audit`.
public struct LogEntry: Hashable, Sendable {
    /// Its number, from 1.
    public let number: Int64
    /// When it was made.
    public let at: Timestamp
    /// The operator action, e.g. `user.suspend`.
    public let action: String
    /// Its hash, in lower-case hexadecimal digits.
    public let hash: String

    /// Creates an entry.
    public init(number: Int64, at: Timestamp, action: String, hash: String) {
        (self.number, self.at, self.action, self.hash) = (number, at, action, hash)
    }

    /// The columns `seq`, `at`, `actor`, `action`, `subjects`, `previous` and `hash`
    /// (https://www.sqlite.org/fileformat2.html, section 2.1); nil if they are not there.
    init?(number: Int64, record: [UInt8]) {
        var place = 0
        guard let head = Varint.read(record, &place), (1...Int64(record.count)).contains(head) else { return nil }
        var kinds: [Int64] = []
        while place < head {
            guard let kind = Varint.read(record, &place) else { return nil }
            kinds.append(kind)
        }
        var columns: [ArraySlice<UInt8>] = []
        place = Int(head)
        for kind in kinds {
            guard let size = Self.size(of: kind), size <= record.count - place else { return nil }
            columns.append(record[place..<(place + size)])
            place += size
        }
        guard columns.count >= 7, kinds[1] <= 9 else { return nil }
        let time = kinds[1] == 9 ? 1 : columns[1].reduce(0 as Int64) { $0 << 8 | Int64($1) }
        self.init(
            number: number, at: Timestamp(milliseconds: time), action: String(decoding: columns[3], as: UTF8.self),
            hash: Hexadecimal.text(of: columns[6]))
    }

    /// The bytes of a column of a kind.
    private static func size(of kind: Int64) -> Int? {
        switch kind {
        case 0...4: Int(kind)
        case 5: 6
        case 6, 7: 8
        case 8, 9: 0
        case 12...: Int((kind - 12) / 2)
        default: nil
        }
    }
}

/// SQLite's numbers of variable length.
enum Varint {
    /// Reads a number and moves the place behind it; nil beyond the end.
    static func read(_ bytes: [UInt8], _ place: inout Int) -> Int64? {
        var value: Int64 = 0
        for index in 0..<9 {
            guard bytes.indices.contains(place) else { return nil }
            let byte = bytes[place]
            place += 1
            if index == 8 { return value << 8 | Int64(byte) }
            value = value << 7 | Int64(byte & 0x7F)
            if byte < 0x80 { break }
        }
        return value
    }
}
