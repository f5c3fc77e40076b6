/// When each request's key is read next, which needs knowledge of the future.
enum NextUse {
    static let never = UInt32.max

    /// For each position of `keys` the position of the same key's next read, or `never`.
    static func indices(_ keys: [UInt32], objectCount: Int) -> [UInt32] {
        var next = [UInt32](repeating: never, count: objectCount)
        var indices = [UInt32](repeating: never, count: keys.count)
        for index in keys.indices.reversed() {
            let key = Int(keys[index])
            indices[index] = next[key]
            next[key] = UInt32(index)
        }
        return indices
    }
}
