import Glibc

/// Ranks 0..<count whose frequency falls as 1 ÷ (rank + 1)^exponent; constant time and memory, by rejection-inversion
/// (Hörmann and Derflinger, 1996).
///
/// The histogram's bars are covered by the area under x^−exponent. A point of that area is drawn by inverting its integral;
/// the nearest whole number is taken unless the point lies above that number's bar.
struct ZipfDraw: Sendable {
    private let count: Double
    private let exponent: Double
    private let lowest: Double
    private let highest: Double
    /// Points this close below their number are always under the bar, so that most draws need no further check.
    private let safeDistance: Double

    init(count: Int, exponent: Double) {
        self.count = Double(max(1, count))
        self.exponent = exponent
        self.lowest = Self.integral(1.5, exponent) - 1
        self.highest = Self.integral(self.count + 0.5, exponent)
        self.safeDistance = 2 - Self.inverse(Self.integral(2.5, exponent) - pow(2, -exponent), exponent)
    }

    func rank(_ dice: inout Dice) -> Int {
        while true {
            let area = highest + dice.fraction() * (lowest - highest)
            let point = Self.inverse(area, exponent)
            let number = min(max(1, (point + 0.5).rounded(.down)), count)
            if number - point <= safeDistance || area >= Self.integral(number + 0.5, exponent) - pow(number, -exponent) {
                return Int(number) - 1
            }
        }
    }

    /// ∫ x^−exponent, from 1.
    private static func integral(_ x: Double, _ exponent: Double) -> Double {
        let power = 1 - exponent
        return abs(power) < 1e-9 ? log(x) : expm1(power * log(x)) / power
    }

    private static func inverse(_ area: Double, _ exponent: Double) -> Double {
        let power = 1 - exponent
        return abs(power) < 1e-9 ? exp(area) : exp(log1p(max(-1, area * power)) / power)
    }
}
