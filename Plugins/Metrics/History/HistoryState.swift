import SparkTelemetry

/// The content of the history: the series and their samples, fine for the last hour and coarse for the last day.
struct HistoryState: Sendable {
    struct Key: Hashable, Sendable {
        /// Prometheus's name for the sample: a histogram's with `_bucket`, `_sum` or `_count`.
        let name: String
        let labels: [MetricLabel]
    }

    let maximumSeries: Int
    private(set) var fine = HistoryTier(distance: 10_000, span: 3_600_000)
    private(set) var coarse = HistoryTier(distance: 60_000, span: 86_400_000)
    private(set) var keys: [Int: Key] = [:]
    private var numbers: [Key: Int] = [:]
    private var byName: [String: [Int]] = [:]
    private var nextNumber = 0
    /// Samples dropped because the limit of series was reached.
    private(set) var dropped = 0

    init(maximumSeries: Int) { self.maximumSeries = maximumSeries }

    /// Records the current value of all series, unless the last sample is more recent than half the fine interval. Samples from
    /// the future were recorded before the clock was set back. They are removed, since otherwise nothing would be recorded until
    /// their time comes.
    /// - Returns: whether a chunk was finished, so that it is time to save.
    mutating func add(_ families: [MetricFamily], at now: Int64) -> Bool {
        if let last = fine.lastTime, last - now > fine.distance { forget(after: now) }
        if let last = fine.lastTime, now - last < fine.distance / 2 { return false }
        var values: [Int: Double] = [:]
        for family in families {
            family.forEachSample { name, labels, value in
                if let number = number(of: Key(name: name, labels: labels)) { values[number] = value }
            }
        }
        let isFinished = fine.add(values, at: now)
        if coarse.lastTime.map({ now - $0 >= coarse.distance - fine.distance / 2 }) ?? true, coarse.add(values, at: now) {
            forgetUnused()
        }
        return isFinished
    }

    private mutating func forget(after now: Int64) {
        fine.forget(after: now)
        coarse.forget(after: now)
        forgetUnused()
    }

    /// The series of a name with their samples since a time: fine samples where available, coarse ones before.
    func samples(named name: String, since: Int64) -> [(key: Key, samples: [(time: Int64, value: Double)])] {
        let fineStart = fine.firstTime ?? .max
        return (byName[name] ?? []).compactMap { number in
            guard let key = keys[number] else { return nil }
            var samples = since < fineStart ? coarse.samples(of: number, since: since).filter { $0.time < fineStart } : []
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
    mutating func restore(fine: [HistoryTier.Chunk], coarse: [HistoryTier.Chunk], keys: [Int: Key], at now: Int64) {
        for (number, key) in keys.sorted(by: { $0.key < $1.key }) where self.keys.count < maximumSeries && numbers[key] == nil {
            enter(key, as: number)
        }
        self.fine.restore(fine, at: now)
        self.coarse.restore(coarse, at: now)
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
        nextNumber = max(nextNumber, number) + 1
    }

    /// Removes series that have no sample left.
    private mutating func forgetUnused() {
        let used = fine.series.union(coarse.series)
        for (number, key) in keys where !used.contains(number) {
            keys[number] = nil
            numbers[key] = nil
            byName[key.name]?.removeAll { $0 == number }
        }
    }
}
