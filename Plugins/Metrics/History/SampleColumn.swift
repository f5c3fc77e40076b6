/// The packed values of one series in a finished chunk. Most series are constant or count in small steps.
///
/// Each entry is a run of repeated values (tag 0), an integer step from an integer (tag 1), or the eight bytes of the value (tag
/// 2). The tag is in the low two bits of a variable-length number (LEB128). Missing values are NaN.
struct SampleColumn: Hashable, Sendable {
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    init(_ values: [Double]) {
        var packer = Packer()
        for value in values { packer.add(value) }
        bytes = packer.finish()
    }

    /// - Parameter count: the number of values.
    /// - Returns: nil for bytes that are not a packed column.
    func values(count: Int) -> [Double]? {
        var reader = ByteReader(bytes)
        var values: [Double] = []
        values.reserveCapacity(count)
        var last = 0.0
        while values.count < count {
            guard let head = reader.variable() else { return nil }
            switch head & 3 {
            case 0:
                guard head >> 2 <= UInt64(count - values.count), head >> 2 > 0 else { return nil }
                values.append(contentsOf: repeatElement(last, count: Int(head >> 2)))
                continue
            case 1:
                let step = Int64(bitPattern: (head >> 3) ^ (~(head >> 2 & 1) &+ 1))
                guard let whole = Int64(exactly: last) else { return nil }
                let (sum, isOver) = whole.addingReportingOverflow(step)
                guard !isOver else { return nil }
                last = Double(sum)
            case 2:
                guard let bits = reader.word() else { return nil }
                last = Double(bitPattern: bits)
            default: return nil
            }
            values.append(last)
        }
        return reader.isAtEnd ? values : nil
    }

    private struct Packer {
        private var writer = ByteWriter()
        private var last = 0.0
        private var repetitions: UInt64 = 0

        mutating func add(_ value: Double) {
            if value.bitPattern == last.bitPattern {
                repetitions += 1
                return
            }
            flush()
            if let step = Self.step(from: last, to: value) {
                // Zigzag encoding: the sign is in the lowest bit, so that small steps of either sign are short.
                let folded = UInt64(bitPattern: (step << 1) ^ (step >> 63))
                writer.variable(folded << 2 | 1)
            } else {
                writer.variable(2)
                writer.word(value.bitPattern)
            }
            last = value
        }

        mutating func finish() -> [UInt8] {
            flush()
            return writer.bytes
        }

        private mutating func flush() {
            if repetitions > 0 { writer.variable(repetitions << 2) }
            repetitions = 0
        }

        /// Nil if the step does not restore exactly this value.
        private static func step(from last: Double, to value: Double) -> Int64? {
            guard let first = Int64(exactly: last), let second = Int64(exactly: value), value.bitPattern != (-0.0).bitPattern,
                abs(last) < 0x1p53, abs(value) < 0x1p53
            else { return nil }
            return second - first
        }
    }
}
