import SparkCore

/// Computes a panel's lines from the history, at common times.
struct ChartLines {
    struct Line: Sendable {
        let title: String
        /// One value per time; NaN where there is none.
        let values: [Double]
    }

    let source: any SeriesSource
    let since: Timestamp
    /// Milliseconds, ascending.
    let times: [Int64]
    /// How many times back the growth is measured from.
    private let reach = 3
    private let places: [Int64: Int]

    init(source: any SeriesSource, since: Timestamp, times: [Int64]) {
        self.source = source
        self.since = since
        self.times = times
        self.places = Dictionary(times.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    func lines(of panel: Panel) -> [Line] { panel.lines.flatMap(lines) }

    private func lines(of line: Panel.Line) -> [Line] {
        switch line.source {
        case .value(let name, let label):
            return grouped(name, by: label, line.title) { values(of: $0) }
        case .rate(let name, let label, let factor):
            return grouped(name, by: label, line.title) { growth(of: $0).map { $0 * factor } }
        case .quantile(let name, let quantile):
            let buckets = source.series(named: "\(name)_bucket", since: since)
            let bounds = Dictionary(grouping: buckets) { $0.labels["le"].flatMap(Double.init(prometheus:)) ?? .nan }
            guard !bounds.isEmpty else { return [] }
            return [Line(title: line.title, values: quantiles(quantile, bounds.mapValues { sum($0, growth) }))]
        case .share(let name, let part, let chosen, let label, let only):
            let series = source.series(named: name, since: since).filter { only.contains($0.labels[label] ?? "") }
            return Dictionary(grouping: series) { $0.labels[label] ?? "" }.sorted { $0.key < $1.key }.map { value, members in
                let whole = sum(members, growth)
                let share = sum(members.filter { chosen.contains($0.labels[part] ?? "") }, growth)
                return Line(title: value, values: zip(share, whole).map { $1 > 0 ? $0 / $1 : .nan })
            }
        }
    }

    private func grouped(_ name: String, by label: String?, _ title: String, _ make: (Series) -> [Double]) -> [Line] {
        let series = source.series(named: name, since: since)
        guard let label else { return series.isEmpty ? [] : [Line(title: title, values: sum(series, make))] }
        return Dictionary(grouping: series) { $0.labels[label] ?? "" }.sorted { $0.key < $1.key }.map { value, members in
            Line(title: title.isEmpty ? value : "\(title) \(value)", values: sum(members, make))
        }
    }

    /// Sums the series. Missing values are ignored unless all are missing.
    private func sum(_ series: [Series], _ make: (Series) -> [Double]) -> [Double] {
        var total = [Double](repeating: .nan, count: times.count)
        for one in series {
            for (place, value) in make(one).enumerated() where !value.isNaN {
                total[place] = total[place].isNaN ? value : total[place] + value
            }
        }
        return total
    }

    private func values(of series: Series) -> [Double] {
        var values = [Double](repeating: .nan, count: times.count)
        for sample in series.samples {
            if let place = places[sample.at.milliseconds] { values[place] = sample.value }
        }
        return values
    }

    /// The growth per second up to each time. A value below the one before means that the counter restarted.
    private func growth(of series: Series) -> [Double] {
        let values = values(of: series)
        var total = 0.0
        var last = Double.nan
        let risen = values.map { value -> Double in
            guard !value.isNaN else { return .nan }
            if !last.isNaN { total += value < last ? value : value - last }
            last = value
            return total
        }
        return risen.indices.map { place in
            // The earliest value available, so that a new series has a rate from its second value on.
            guard !risen[place].isNaN,
                let from = (max(0, place - reach)..<place).first(where: { !risen[$0].isNaN })
            else { return .nan }
            return (risen[place] - risen[from]) / (Double(times[place] - times[from]) / 1_000)
        }
    }

    /// Like Prometheus's `histogram_quantile`: interpolates linearly within a bucket; the last bound represents all values
    /// above it.
    private func quantiles(_ quantile: Double, _ growths: [Double: [Double]]) -> [Double] {
        let bounds = growths.sorted { $0.key < $1.key }
        return times.indices.map { place in
            let counts = bounds.map { ($0.key, $0.value[place]) }
            guard let total = counts.last?.1, total > 0 else { return .nan }
            let rank = quantile * total
            guard let index = counts.firstIndex(where: { $0.1 >= rank }) else { return .nan }
            let (bound, count) = counts[index]
            guard bound.isFinite else { return index > 0 ? counts[index - 1].0 : .nan }
            let (lower, before) = index > 0 ? counts[index - 1] : (min(0, bound), 0)
            return count > before ? lower + (bound - lower) * (rank - before) / (count - before) : bound
        }
    }
}

extension Double {
    /// Parses a bound of the label `le`.
    fileprivate init?(prometheus text: String) {
        if text == "+Inf" { self = .infinity } else { self.init(text) }
    }
}
