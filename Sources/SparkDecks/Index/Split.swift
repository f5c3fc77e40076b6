/// The rule of an inner node that assigns each person to one of two subtrees.
struct Split: Equatable, BitwiseCopyable {
    enum Axis: UInt8, BitwiseCopyable { case latitude, longitude, birth, identifier }

    let axis: Axis
    /// People with a smaller key are low.
    let value: Double
    let identifier: Int64

    @inline(__always)
    func isLow(_ row: PersonRow) -> Bool {
        axis == .identifier ? row.id < identifier : Self.key(row, axis) < value
    }

    @inline(__always)
    private static func key(_ row: PersonRow, _ axis: Axis) -> Double {
        switch axis {
        case .latitude: row.latitude
        case .longitude: row.longitude
        case .birth, .identifier: Double(row.birth.rawValue)
        }
    }

    /// One year of age separates people as much as this many kilometres.
    private static let kilometresPerYear = 1.0

    /// The axis along which the people are farthest apart.
    private static func widest(_ bounds: Bounds) -> Axis {
        let height = (bounds.maxLatitude - bounds.minLatitude) * 111.2
        let width = (bounds.maxLongitude - bounds.minLongitude) * 111.2 * max(bounds.cosine, 1e-9)
        let years = Double(bounds.lastBirth - bounds.firstBirth) / 365.25 * kilometresPerYear
        if height == 0, width == 0, years == 0 { return .identifier }
        if years >= height, years >= width { return .birth }
        return height >= width ? .latitude : .longitude
    }

    /// Divides people into two non-empty parts, and orders them so that the low ones come first.
    /// - Parameters:
    ///   - order: indexes of rows; at least two.
    ///   - middle: the approximate number of low people.
    /// - Returns: the split, and the number of low people.
    static func divide(_ order: UnsafeMutableBufferPointer<UInt32>, _ rows: [PersonRow], middle: Int) -> (split: Split, low: Int)
    {
        let axis = widest(Bounds(order, rows))
        if axis == .identifier {
            var order = order
            order.sort { rows[Int($0)].id < rows[Int($1)].id }
            return (Split(axis: axis, value: 0, identifier: rows[Int(order[middle])].id), middle)
        }
        var keys = order.map { Keyed(key: key(rows[Int($0)], axis), row: $0) }
        let value = keys.withUnsafeMutableBufferPointer { keys in
            Keyed.select(keys, middle)
            let found = keys[middle].key
            if keys[..<middle].contains(where: { $0.key < found }) { return found }
            // The middle key is the least one, so the next greater key divides.
            return keys.lazy.map(\.key).filter { $0 > found }.min() ?? found
        }
        var low = 0
        for position in order.indices where key(rows[Int(order[position])], axis) < value {
            order.swapAt(position, low)
            low += 1
        }
        return (Split(axis: axis, value: value, identifier: 0), low)
    }

    private struct Keyed: BitwiseCopyable {
        let key: Double
        let row: UInt32

        /// Partially sorts, so that the element at `middle` is the one that a full sort would put there (Hoare's selection).
        static func select(_ keys: UnsafeMutableBufferPointer<Keyed>, _ middle: Int) {
            var (low, high) = (0, keys.count - 1)
            while low < high {
                let pivot = median(keys[low].key, keys[(low + high) / 2].key, keys[high].key)
                var (left, right) = (low, high)
                while left <= right {
                    while keys[left].key < pivot { left += 1 }
                    while keys[right].key > pivot { right -= 1 }
                    if left <= right {
                        keys.swapAt(left, right)
                        left += 1
                        right -= 1
                    }
                }
                if middle <= right { high = right } else if middle >= left { low = left } else { return }
            }
        }

        private static func median(_ a: Double, _ b: Double, _ c: Double) -> Double { max(min(a, b), min(max(a, b), c)) }
    }
}

extension Bounds {
    /// The bounds of people's places and days of birth.
    init(_ order: UnsafeMutableBufferPointer<UInt32>, _ rows: [PersonRow]) {
        self.init()
        count = Int32(order.count)
        for number in order {
            let row = rows[Int(number)]
            extend(latitude: row.latitude, longitude: row.longitude)
            firstBirth = min(firstBirth, row.birth.rawValue)
            lastBirth = max(lastBirth, row.birth.rawValue)
        }
        settle()
    }
}
