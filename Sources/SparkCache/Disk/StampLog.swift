/// What was invalidated and forgotten since the last snapshot: records of 24 bytes, each with a check.
///
/// A record counts when its write returned, before the commit that it belongs to. So one that is not whole at the end of the
/// file belongs to a commit that did not happen; one that is whole and unsound means that the log cannot be trusted.
enum StampLog {
    static let recordBytes = 24

    enum Record: Equatable {
        case invalidated(Stamp)
        /// Entries of this mark whose sequence number is not larger must not come back.
        case forgotten(SpillMark, sequence: UInt64)
    }

    static func name(generation: UInt64) -> String { "log-\(String(generation, radix: 16)).spill" }

    /// Kind (4), check (4), and two numbers.
    static func append(_ record: Record, to bytes: inout [UInt8], check: SpillCheck) {
        let fields: (kind: UInt32, UInt64, UInt64) =
            switch record {
            case .invalidated(let stamp): (1, UInt64(stamp.slot), UInt64(stamp.version))
            case .forgotten(let mark, let sequence): (2, UInt64(mark.value), sequence)
            }
        bytes.appendLittleEndian(fields.kind)
        bytes.appendLittleEndian(sum(fields.kind, fields.1, fields.2, check))
        bytes.appendLittleEndian(fields.1)
        bytes.appendLittleEndian(fields.2)
    }

    /// Nil if a whole record is unsound.
    static func parse(_ bytes: [UInt8], check: SpillCheck) -> [Record]? {
        bytes.withUnsafeBytes { raw in
            var reader = SpillBytesReader(raw)
            var records: [Record] = []
            while reader.remaining >= recordBytes {
                guard let kind = reader.next(UInt32.self), let stated = reader.next(UInt32.self),
                    let first = reader.next(UInt64.self), let second = reader.next(UInt64.self),
                    stated == sum(kind, first, second, check)
                else { return nil }
                switch kind {
                case 1:
                    guard let slot = UInt32(exactly: first), let version = UInt32(exactly: second) else { return nil }
                    records.append(.invalidated(Stamp(slot: slot, version: version)))
                case 2: records.append(.forgotten(SpillMark(first), sequence: second))
                default: return nil
                }
            }
            return records
        }
    }

    private static func sum(_ kind: UInt32, _ first: UInt64, _ second: UInt64, _ check: SpillCheck) -> UInt32 {
        let words = (UInt64(kind).littleEndian, first.littleEndian, second.littleEndian)
        return withUnsafeBytes(of: words) { UInt32(truncatingIfNeeded: check.sum($0)) }
    }
}
