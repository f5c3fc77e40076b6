import SparkCore

/// A set of identifiers that is queried far more often than changed. A query reads two cache lines; an identifier takes ten
/// bytes.
///
/// One array holds buckets, selected by the upper bits of a hash, with about two identifiers each.
package struct IdentifierSet: Sendable {
    private let entries: [Int64]
    /// The start of each bucket in `entries`, and the end of the last one.
    private let starts: [UInt32]
    private let shift: UInt64

    /// - Parameter list: may contain duplicates.
    package init(_ list: [Int64]) { self.init(unique: Self.unique(list)) }

    private init(unique list: [Int64]) {
        let bits = max(1, Int.bitWidth - (list.count / 2).leadingZeroBitCount)
        let shift = UInt64(64 - bits)
        var starts = [UInt32](repeating: 0, count: 1 << bits + 1)
        for one in list { starts[Self.bucket(one, shift) + 1] += 1 }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        var next = starts
        var entries = [Int64](repeating: 0, count: list.count)
        for one in list {
            let bucket = Self.bucket(one, shift)
            entries[Int(next[bucket])] = one
            next[bucket] += 1
        }
        self.entries = entries
        self.starts = starts
        self.shift = shift
    }

    private static func unique(_ list: [Int64]) -> [Int64] {
        let sorted = list.sorted()
        var result: [Int64] = []
        result.reserveCapacity(sorted.count)
        for one in sorted where result.last != one { result.append(one) }
        return result
    }

    @inline(__always)
    private static func bucket(_ identifier: Int64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: (UInt64(bitPattern: identifier) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    @inline(__always)
    package func contains(_ identifier: Int64) -> Bool {
        let bucket = Self.bucket(identifier, shift)
        for position in Int(starts[bucket])..<Int(starts[bucket + 1]) where entries[position] == identifier { return true }
        return false
    }

    /// The number of identifiers.
    package var count: Int { entries.count }
    /// Visits all identifiers, in no order.
    package func forEach(_ body: (Int64) -> Void) { for entry in entries { body(entry) } }

    /// The identifiers in ascending order.
    package var sorted: [Int64] { entries.sorted() }
}

extension IdentifierSet: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.entries.allSatisfy(right.contains)
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(sorted) }
}
