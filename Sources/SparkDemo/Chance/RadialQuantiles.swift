/// The distances of people from the centre of a town whose density decreases exponentially.
///
/// A share of F(x) = 1 − (1 + x) e^−x lives within x times the fall-off length. The inverse has no closed form, so it is
/// tabulated, indexed by √F, which is nearly linear in x even at the centre.
struct RadialQuantiles: Sendable {
    /// The largest distance, in fall-off lengths.
    static let reach = 7.0

    private static let buckets = 512
    private let radii: [Double]

    /// The radius, in fall-off lengths, within which the given share (0..<1) of the people live.
    func radius(holding share: Double) -> Double {
        let position = share.squareRoot() * Double(Self.buckets)
        let bucket = min(max(0, Int(position)), Self.buckets - 1)
        return radii[bucket] + (radii[bucket + 1] - radii[bucket]) * (position - Double(bucket))
    }

    static let exponentialDisc = RadialQuantiles()

    private init() {
        // Integrates outwards in steps of reach ÷ 2^14 and records where each bucket's share is crossed.
        let step = Self.reach * 0x1p-14
        let decay = 1 - step + step * step / 2 - step * step * step / 6
        var walk: [Double] = [0]
        var density = 1.0
        for index in 1...(1 << 14) {
            density *= decay
            walk.append(1 - (1 + Double(index) * step) * density)
        }
        let whole = walk[walk.count - 1]
        var radii: [Double] = [0]
        var index = 0
        for bucket in 1..<Self.buckets {
            let root = Double(bucket) / Double(Self.buckets)
            let share = root * root * whole
            while walk[index + 1] < share { index += 1 }
            let part = (share - walk[index]) / (walk[index + 1] - walk[index])
            radii.append((Double(index) + part) * step)
        }
        radii.append(Self.reach)
        self.radii = radii
    }
}
