/// What was invalidated and forgotten since the last snapshot: records of 24 bytes, each with a checksum.
///
/// A record counts when its write has returned, which is before the commit it belongs to. An incomplete record at the end of the
/// file belongs to a commit that did not happen. A complete but corrupt record means that the log cannot be trusted.
enum StampLog {
    static let recordBytes = 24

    enum Record: Equatable {
        case invalidated(Stamp)
        /// Entries with this short hash and a sequence number up to this must not be recovered.
        case forgotten(ShortHash, sequence: UInt64)
    }

    static func name(generation: UInt64) -> String { "log-\(String(generation, radix: 16)).spill" }

    /// Kind (4), checksum (4) and two numbers (8 each).
    static func append(_ record: Record, to bytes: inout [UInt8], checksum: SpillChecksum) {
        let fields: (kind: UInt32, UInt64, UInt64) =
            switch record {
            case .invalidated(let stamp): (1, UInt64(stamp.slot), UInt64(stamp.version))
            case .forgotten(let shortHash, let sequence): (2, UInt64(shortHash.value), sequence)
            }
        bytes.appendLittleEndian(fields.kind)
        bytes.appendLittleEndian(sum(fields.kind, fields.1, fields.2, checksum))
        bytes.appendLittleEndian(fields.1)
        bytes.appendLittleEndian(fields.2)
    }

    /// Nil when a complete record is corrupt.
    static func parse(_ bytes: [UInt8], checksum: SpillChecksum) -> [Record]? {
        bytes.withUnsafeBytes { raw in
            var reader = SpillBytesReader(raw)
            var records: [Record] = []
            while reader.remaining >= recordBytes {
                guard let kind = reader.next(UInt32.self), let stated = reader.next(UInt32.self),
                    let first = reader.next(UInt64.self), let second = reader.next(UInt64.self),
                    stated == sum(kind, first, second, checksum)
                else { return nil }
                switch kind {
                case 1:
                    guard let slot = UInt32(exactly: first), let version = UInt32(exactly: second) else { return nil }
                    records.append(.invalidated(Stamp(slot: slot, version: version)))
                case 2: records.append(.forgotten(ShortHash(first), sequence: second))
                default: return nil
                }
            }
            return records
        }
    }

    private static func sum(_ kind: UInt32, _ first: UInt64, _ second: UInt64, _ checksum: SpillChecksum) -> UInt32 {
        let words = (UInt64(kind).littleEndian, first.littleEndian, second.littleEndian)
        return withUnsafeBytes(of: words) { UInt32(truncatingIfNeeded: checksum.sum($0)) }
    }
}

/// The versions of all stamps at one moment, and the keys that were hot then.
struct StampSnapshot: Equatable {
    var versions: [UInt32]
    /// Hashes of keys, the hottest first.
    var hottest: [UInt64] = []

    static func name(generation: UInt64) -> String { "stamps-\(String(generation, radix: 16)).spill" }

    /// Pairs of slot and version, without the versions that are zero, which most are.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(versions.count))
        bytes.appendLittleEndian(UInt64(versions.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }))
        for (slot, version) in versions.enumerated() where version != 0 {
            bytes.appendLittleEndian(UInt32(truncatingIfNeeded: slot))
            bytes.appendLittleEndian(version)
        }
        bytes.appendLittleEndian(UInt64(hottest.count))
        for hash in hottest { bytes.appendLittleEndian(hash) }
        return bytes
    }

    init(versions: [UInt32], hottest: [UInt64] = []) {
        self.versions = versions
        self.hottest = hottest
    }

    /// Nil unless the bytes are what `encoded` returned for a table of `count` stamps.
    init?(_ bytes: [UInt8], count: Int) {
        var versions = [UInt32](repeating: 0, count: count)
        var hottest: [UInt64] = []
        let isWhole = bytes.withUnsafeBytes { raw -> Bool in
            var reader = SpillBytesReader(raw)
            guard reader.next(UInt64.self) == UInt64(count), let pairs = reader.next(UInt64.self), pairs <= count else {
                return false
            }
            for _ in 0..<pairs {
                guard let slot = reader.next(UInt32.self), let version = reader.next(UInt32.self), slot < count else {
                    return false
                }
                versions[Int(slot)] = version
            }
            guard let hot = reader.next(UInt64.self), hot == reader.remaining / 8 else { return false }
            for _ in 0..<hot { hottest.append(reader.next(UInt64.self) ?? 0) }
            return reader.remaining == 0
        }
        guard isWhole else { return nil }
        self.versions = versions
        self.hottest = hottest
    }
}
