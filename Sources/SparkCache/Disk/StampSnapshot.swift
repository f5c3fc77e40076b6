/// The counters of all stamps at one moment, and what was hot then.
struct StampSnapshot: Equatable {
    var versions: [UInt32]
    /// Hashes of keys, the hottest first.
    var hottest: [UInt64] = []

    static func name(generation: UInt64) -> String { "stamps-\(String(generation, radix: 16)).spill" }

    /// Counters that are not zero as pairs of slot and version: most are zero.
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

    /// Nil if the bytes are not what `encoded` makes for a table of `count` stamps.
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
