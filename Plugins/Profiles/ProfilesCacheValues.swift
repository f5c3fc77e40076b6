import SparkCache
public import SparkCore
public import SparkKit

// How the cache weighs and encodes the values of Profiles.

extension OwnProfile: CacheValue, CompactValue {
    private static let weights = columns.compactMap(\.weight)

    /// The bytes of the record and of its texts.
    var cacheCost: Int { Self.weights.reduce(320) { $0 + $1(self) } }

    /// The version of the encoding. Follows from the columns, so that no record is read that other columns were written to.
    static func encodingVersion(of columns: [ProfileColumn]) -> Int {
        let text = columns.map(\.encoding).joined(separator: ",")
        return Int(truncatingIfNeeded: FNV1a.hash(of: text.utf8))
    }

    func write(to writer: inout CompactWriter) {
        writer.write(bits: UInt64(bitPattern: profile.id.rawValue))
        for column in Self.columns { column.encode(self, &writer) }
    }

    static func read(from reader: inout CompactReader) -> OwnProfile? {
        guard let id = reader.bits() else { return nil }
        var own = OwnProfile(blank: UserID(rawValue: Int64(bitPattern: id)))
        for column in columns {
            guard column.decode(&own, &reader) else { return nil }
        }
        return own
    }

    func encode(into bytes: inout [UInt8]) {
        var writer = CompactWriter(bytes)
        write(to: &writer)
        bytes = writer.bytes
    }

    static func decode(_ bytes: [UInt8]) -> OwnProfile? {
        var reader = CompactReader(bytes)
        guard let own = read(from: &reader), reader.isAtEnd else { return nil }
        return own
    }
}

extension Cell: CompactValue {}
