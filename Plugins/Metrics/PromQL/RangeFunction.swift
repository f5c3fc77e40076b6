import SparkCore

/// Computes a function over one series' samples in a closed interval (milliseconds).
struct RangeFunction {
    let start: Int64
    let end: Int64

    /// Nil when there are too few samples. `samples` must not be empty.
    func value(of function: Function, _ samples: [Sample]) -> Double? {
        guard let first = samples.first, let last = samples.last else { return nil }
        let values = samples.lazy.map(\.value)
        switch function {
        case .rate: return extrapolated(samples, isCounter: true).map { $0 / (Double(end &- start) / 1_000) }
        case .increase: return extrapolated(samples, isCounter: true)
        case .delta: return extrapolated(samples, isCounter: false)
        case .irate: return instantRate(samples)
        case .countOverTime: return Double(samples.count)
        case .lastOverTime: return last.value
        case .sumOverTime: return CompensatedSum.of(values)
        case .averageOverTime: return mean(values)
        case .minOverTime: return values.reduce(first.value) { $1 < $0 || $0.isNaN ? $1 : $0 }
        case .maxOverTime: return values.reduce(first.value) { $1 > $0 || $0.isNaN ? $1 : $0 }
        case .changes: return Double(zip(values, values.dropFirst()).count { $0 != $1 && !($0.isNaN && $1.isNaN) })
        case .resets: return Double(zip(values, values.dropFirst()).count { $1 < $0 })
        default: return nil
        }
    }

    /// The growth over the whole interval, extrapolated from its samples (Prometheus, `extrapolatedRate`). Extrapolates to an end
    /// of the interval if the end is closer than 1.1 times the average distance of two samples, otherwise by half that distance.
    /// A counter is not extrapolated below zero.
    private func extrapolated(_ samples: [Sample], isCounter: Bool) -> Double? {
        guard samples.count > 1, let first = samples.first, let last = samples.last else { return nil }
        var growth = last.value - first.value
        if isCounter {
            var previous = first.value
            for sample in samples.dropFirst() {
                if sample.value < previous { growth += previous }
                previous = sample.value
            }
        }
        let sampled = Double(last.at.milliseconds &- first.at.milliseconds) / 1_000
        let usual = sampled / Double(samples.count - 1)
        var toStart = Double(first.at.milliseconds &- start) / 1_000
        let toEnd = Double(end &- last.at.milliseconds) / 1_000
        if isCounter, growth > 0, first.value >= 0 { toStart = min(toStart, sampled * (first.value / growth)) }
        let threshold = usual * 1.1
        let reached = sampled + (toStart < threshold ? toStart : usual / 2) + (toEnd < threshold ? toEnd : usual / 2)
        return growth * (reached / sampled)
    }

    /// The rate between the last two samples.
    private func instantRate(_ samples: [Sample]) -> Double? {
        guard samples.count > 1, let last = samples.last else { return nil }
        let previous = samples[samples.count - 2]
        let growth = last.value < previous.value ? last.value : last.value - previous.value
        return growth / (Double(last.at.milliseconds &- previous.at.milliseconds) / 1_000)
    }

    private func mean(_ values: some Sequence<Double>) -> Double {
        var mean = RunningMean()
        for value in values { mean.add(value) }
        return mean.value
    }
}

/// A sum with compensated rounding errors (Neumaier's variant of Kahan summation).
struct CompensatedSum {
    private var sum = 0.0
    private var lost = 0.0

    var value: Double { sum.isInfinite ? sum : sum + lost }

    mutating func add(_ value: Double) {
        let total = sum + value
        lost += abs(sum) >= abs(value) ? (sum - total) + value : (value - total) + sum
        sum = total
    }

    static func of(_ values: some Sequence<Double>) -> Double {
        var sum = CompensatedSum()
        for value in values { sum.add(value) }
        return sum.value
    }
}

/// A mean that does not overflow where the sum would. An infinite mean stays until the opposite infinity is added.
struct RunningMean {
    private(set) var value = 0.0
    private var count = 0.0

    mutating func add(_ next: Double) {
        count += 1
        if value.isInfinite, next.isFinite || next == value { return }
        value += next / count - value / count
    }
}
