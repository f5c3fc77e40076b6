/// The Gini coefficient: 0 when all have the same, towards 1 when one has everything.
package enum Gini {
    /// - Parameter counts: how many have 0, 1, 2, … of it.
    /// - Returns: 0 for nobody, and when nobody has anything.
    package static func coefficient(_ counts: [Int]) -> Double {
        // The area under the Lorenz curve, step by step from those who have least.
        let people = Double(counts.reduce(0, +))
        let whole = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) }
        guard people > 0, whole > 0 else { return 0 }
        var (below, area) = (0.0, 0.0)
        for (amount, count) in counts.enumerated() {
            let share = Double(amount) * Double(count) / whole
            area += Double(count) / people * (below + share / 2)
            below += share
        }
        return max(0, 1 - 2 * area)
    }
}
