/// The Gini coefficient: 0 if all have the same, towards 1 if one has everything.
package enum Gini {
    /// - Parameter counts: element n is the number of people who have n.
    /// - Returns: the coefficient; 0 without people, and if all have 0.
    package static func coefficient(_ counts: [Int]) -> Double {
        // The area under the Lorenz curve, step by step from those who have the least.
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
