import CoreMetrics
import Synchronization

/// Records one series. Recording takes no lock and allocates nothing.
protocol Instrument: AnyObject, Sendable {
    var reading: MetricReading { get }
}

/// Counts up. Whole and fractional steps are kept apart, so that the common whole step costs one addition.
final class CounterInstrument: Instrument, CounterHandler, FloatingPointCounterHandler {
    private let stripes: Stripes

    init(stripes: Int) { self.stripes = Stripes(width: 2, count: stripes) }

    /// Ignores negative amounts: a counter never decreases.
    func increment(by amount: Int64) {
        if amount > 0 { stripes.count(UInt64(amount), at: 0) }
    }

    /// Ignores negative amounts and those that are not finite.
    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { stripes.add(amount, at: 1) }
    }

    /// Does nothing: a reader would take a reset for a restart of the process.
    func reset() {}

    var reading: MetricReading { .value(Double(stripes.sum(0)) + stripes.doubleSum(1)) }
}

/// Holds the last value. Has no value before the first one and after a NaN.
final class GaugeInstrument: Instrument, RecorderHandler, MeterHandler {
    private let bits = Atomic<UInt64>(Double.nan.bitPattern)

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let value = Double(bitPattern: old)
            let new = (value.isNaN ? amount : value + amount).bitPattern
            let (isDone, current) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isDone { return }
            old = current
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    var reading: MetricReading {
        let value = Double(bitPattern: bits.load(ordering: .relaxed))
        return value.isNaN ? .none : .value(value)
    }
}

/// Counts observations in fixed buckets. A timer records seconds.
final class HistogramInstrument: Instrument, RecorderHandler, TimerHandler {
    private let bounds: [Double]
    private let stripes: Stripes

    /// - Parameter bounds: upper bounds, ascending.
    init(bounds: [Double], stripes: Int) {
        self.bounds = bounds
        // One word per bucket, one for values above all bounds, one for the sum.
        self.stripes = Stripes(width: bounds.count + 2, count: stripes)
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Ignores values that are not finite: they would spoil the sum for good.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        stripes.count(at: index, adding: value, at: bounds.count + 1)
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    var reading: MetricReading {
        .histogram(
            HistogramReading(
                bounds: bounds, counts: (0...bounds.count).map { stripes.sum($0) }, sum: stripes.doubleSum(bounds.count + 1)))
    }
}
