/// The hashes of those that left the small queue lately: a table in which a newcomer overwrites who stands in its place, with
/// the number of the departure, so that age is known without a queue.
struct GhostList {
    private var table: [UInt64]
    private var departures: UInt32 = 0

    /// - Parameter budget: of the shard; one place for each 512 bytes.
    init(budget: Int) {
        var places = 256
        while places < budget / 512, places < 1 << 20 { places *= 2 }
        self.table = Array(repeating: 0, count: places)
        self.bytes = places * 8
    }

    /// Bytes that it takes.
    let bytes: Int

    private func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (table.count - 1) }
    private func mark(_ hash: UInt64) -> UInt64 { hash & 0xFFFF_FFFF_0000_0000 }

    mutating func note(_ hash: UInt64) {
        departures &+= 1
        table[place(hash)] = mark(hash) | UInt64(departures)
    }

    /// Whether it was among the last `count` that left; it is forgotten.
    mutating func take(_ hash: UInt64, within count: Int) -> Bool {
        let place = place(hash)
        let ghost = table[place]
        guard ghost != 0, ghost >> 32 == hash >> 32 else { return false }
        table[place] = 0
        return Int(departures &- UInt32(truncatingIfNeeded: ghost)) < count
    }
}
