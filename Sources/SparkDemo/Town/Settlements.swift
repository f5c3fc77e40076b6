import SparkCore

/// Assigns people to cities: a contiguous range of indices per city, in the order of the cities.
struct Settlements: Sendable {
    private let settlements: [Settlement]
    /// The first index of each settlement; a copy, so that the search touches few cache lines.
    private let starts: [Int]

    /// Distributes the people by population^⅞. The exponent below 1 favours small places: the largest embedded city has one
    /// person in 48, and 10,000 people inhabit some 400 cities. The power is computed with square roots, which IEEE 754 defines
    /// to the bit.
    ///
    /// Each range ends at the rounded running sum of the shares, so the ranges add up to `count` exactly.
    init(count: Int, cities: [City]) {
        let weights = cities.map { city in
            let half = Double(city.population).squareRoot()
            let quarter = half.squareRoot()
            return UInt64((half * quarter * quarter.squareRoot()).rounded())
        }
        let whole = weights.reduce(0, +)
        var settlements: [Settlement] = []
        var running: UInt64 = 0
        var start = 0
        for (city, weight) in zip(cities, weights) {
            running += weight
            let product = UInt64(count).multipliedFullWidth(by: running)
            let end = Int(whole.dividingFullWidth(product).quotient)
            if end > start { settlements.append(Settlement(city: city, people: start..<end)) }
            start = end
        }
        self.settlements = settlements
        self.starts = settlements.map(\.people.lowerBound)
    }

    /// The inhabited cities.
    var all: [Settlement] { settlements }

    /// - Precondition: the index is one of the town's people.
    func settlement(of index: Int) -> Settlement {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= index { low = middle } else { high = middle }
        }
        let found = settlements[low]
        precondition(found.people.contains(index), "no person has this number")
        return found
    }
}
