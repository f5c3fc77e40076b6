import SparkTelemetry

/// The content of the history: the series and their samples, fine for the last hour and coarse for the last day. A few series have
/// samples for the last month.
struct HistoryState: Sendable {
    struct Key: Hashable, Sendable {
        /// Prometheus's name for the sample: a histogram's with `_bucket`, `_sum` or `_count`.
        let name: String
        let labels: [MetricLabel]
    }

    /// The series that are kept for a month: those of the service level. Its error budget is that of 30 days, and a rule compares
    /// with the week before. They have no labels that clients could multiply.
    private static let lastingNames: Set<String> = [
        "spark_slo_requests_total", "spark_slo_request_duration_seconds_bucket", "spark_slo_request_duration_seconds_count",
    ]

    /// What a file holds.
    struct Saved {
        var keys: [Int: Key] = [:]
        var fine: [HistoryTier.Chunk] = []
        var coarse: [HistoryTier.Chunk] = []
        var lasting: [HistoryTier.Chunk] = []
    }

    let maximumSeries: Int
    private(set) var fine = HistoryTier(distance: 10_000, span: 3_600_000)
    private(set) var coarse = HistoryTier(distance: 60_000, span: 86_400_000)
    /// Ten minutes are short enough for rates over an hour.
    private(set) var lasting = HistoryTier(distance: 600_000, span: 31 * 86_400_000)
    private(set) var keys: [Int: Key] = [:]
    private var numbers: [Key: Int] = [:]
    private var byName: [String: [Int]] = [:]
    private var lastingNumbers: Set<Int> = []
    private var nextNumber = 0
    /// Samples dropped because the limit of series was reached.
    private(set) var dropped = 0

    init(maximumSeries: Int) { self.maximumSeries = maximumSeries }

    /// Records the current value of all series, unless the last sample is more recent than half the fine interval. Samples from
    /// the future were recorded before the clock was set back. They are removed, since otherwise nothing would be recorded until
    /// their time comes.
    /// - Parameter isLast: whether the process ends. Every tier gets a sample then, however recent its last one is: what a counter
    ///   grows after its last sample is lost with the process.
    /// - Returns: whether a chunk was finished, so that it is time to save.
    mutating func add(_ families: [MetricFamily], at now: Int64, isLast: Bool = false) -> Bool {
        if let last = fine.lastTime, last - now > fine.distance { forget(after: now) }
        if let last = fine.lastTime, now - last < (isLast ? 1 : fine.distance / 2) { return false }
        var values: [Int: Double] = [:]
        for family in families {
            family.forEachSample { name, labels, value in
                if let number = number(of: Key(name: name, labels: labels)) { values[number] = value }
            }
        }
        let isFinished = fine.add(values, at: now)
        func isDue(_ tier: HistoryTier) -> Bool {
            tier.lastTime.map { now - $0 >= (isLast ? 1 : tier.distance - fine.distance / 2) } ?? true
        }
        let lastingValues = values.filter { lastingNumbers.contains($0.key) }
        if !lastingValues.isEmpty, isDue(lasting) { _ = lasting.add(lastingValues, at: now) }
        if isDue(coarse), coarse.add(values, at: now) { forgetUnused() }
        return isFinished
    }

    private mutating func forget(after now: Int64) {
        fine.forget(after: now)
        coarse.forget(after: now)
        lasting.forget(after: now)
        forgetUnused()
    }

    /// The series of a name with their samples since a time: fine samples where available, coarse ones before, and before those
    /// the lasting ones if the series has such.
    func samples(named name: String, since: Int64) -> [(key: Key, samples: [(time: Int64, value: Double)])] {
        let fineStart = fine.firstTime ?? .max
        let coarseStart = min(coarse.firstTime ?? .max, fineStart)
        return (byName[name] ?? []).compactMap { number in
            guard let key = keys[number] else { return nil }
            var samples = since < coarseStart ? lasting.samples(of: number, since: since).filter { $0.time < coarseStart } : []
            samples += since < fineStart ? coarse.samples(of: number, since: since).filter { $0.time < fineStart } : []
            samples += fine.samples(of: number, since: since)
            return samples.isEmpty ? nil : (key, samples)
        }
    }

    /// When samples were taken, matching `samples`.
    func times(since: Int64) -> [Int64] {
        let fineStart = fine.firstTime ?? .max
        let early = since < fineStart ? coarse.allTimes.filter { $0 >= since && $0 < fineStart } : []
        return early + fine.allTimes.filter { $0 >= since }
    }

    /// Restores saved samples, except those that are too old or from the future.
    mutating func restore(_ saved: Saved, at now: Int64) {
        for (number, key) in saved.keys.sorted(by: { $0.key < $1.key })
        where self.keys.count < maximumSeries && numbers[key] == nil {
            enter(key, as: number)
        }
        fine.restore(saved.fine, at: now)
        coarse.restore(saved.coarse, at: now)
        lasting.restore(saved.lasting, at: now)
        forgetUnused()
    }

    private mutating func number(of key: Key) -> Int? {
        if let number = numbers[key] { return number }
        guard keys.count < maximumSeries else {
            dropped &+= 1
            return nil
        }
        enter(key, as: nextNumber)
        return nextNumber - 1
    }

    private mutating func enter(_ key: Key, as number: Int) {
        keys[number] = key
        numbers[key] = number
        byName[key.name, default: []].append(number)
        if Self.lastingNames.contains(key.name) { lastingNumbers.insert(number) }
        nextNumber = max(nextNumber, number) + 1
    }

    /// Removes series that have no sample left.
    private mutating func forgetUnused() {
        let used = fine.series.union(coarse.series).union(lasting.series)
        for (number, key) in keys where !used.contains(number) {
            keys[number] = nil
            numbers[key] = nil
            lastingNumbers.remove(number)
            byName[key.name]?.removeAll { $0 == number }
        }
    }
}
