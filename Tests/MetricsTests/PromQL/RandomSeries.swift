import SparkMetrics

/// Counters that restart, gauges with NaN, histograms; all with gaps and some that end.
enum RandomSeries {
    private static let length = 90

    static func make(_ random: inout SplitMix) -> RecordedSeries {
        var source = RecordedSeries()
        for job in ["api", "ws"] {
            for code in ["200", "404", "500", "503"] {
                source.add("requests_total", ["job": job, "code": code], counter(&random, 40))
            }
            source.add("capacity", ["job": job], gauge(&random, isWild: false))
            source.add("limit", ["job": job, "zone": "z\(job.count)"], gauge(&random, isWild: false))
            source.add("level", ["job": job], gauge(&random, isWild: true))
            source.add("level", ["job": job, "kind": "second"], gauge(&random, isWild: true))
            for (labels, values) in histogram(&random) {
                source.add("took_seconds_bucket", labels.merging(["job": job]) { $1 }, values)
            }
        }
        source.add("info", ["version": "1.0", "job": "api"], Array(repeating: 1, count: length))
        source.add("info", ["version": "1.1", "job": "ws"], Array(repeating: 1, count: length))
        // Scraped amid updates: counts that do not grow with the bounds, and one bound under two names.
        for bound in ["0.5", "1", "1.0", "2.5", "5", "+Inf"] {
            let counts = (0..<length).map { _ in Double(Int.random(in: 0...50, using: &random)) }
            source.add("torn_bucket", ["le": bound], gaps(counts, &random))
        }
        source.add("constant", [:], Array(repeating: 7.5, count: length))
        source.add("short", ["a": "b"], [1, nil, 3, RecordedSeries.stale, nil, 9])
        return source
    }

    private static func gaps(_ values: [Double], _ random: inout SplitMix) -> [Double?] {
        var out: [Double?] = values
        let density = Int.random(in: 3...30, using: &random)
        for place in out.indices where Int.random(in: 0..<density, using: &random) == 0 { out[place] = nil }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let start = Int.random(in: 10..<60, using: &random)
            for place in start..<min(start + 25, out.count) { out[place] = nil }
        }
        if Int.random(in: 0..<5, using: &random) == 0 {
            let end = Int.random(in: 30..<length, using: &random)
            out = Array(out.prefix(end)) + [RecordedSeries.stale]
        }
        return out
    }

    private static func counter(_ random: inout SplitMix, _ step: Int) -> [Double?] {
        var value = Double(Int.random(in: 0...200, using: &random))
        let values = (0..<length).map { _ in
            value += Double(Int.random(in: 0...step, using: &random)) / 4
            if Int.random(in: 0..<25, using: &random) == 0 { value = Double(Int.random(in: 0...3, using: &random)) }
            return value
        }
        return gaps(values, &random)
    }

    private static func gauge(_ random: inout SplitMix, isWild: Bool) -> [Double?] {
        let values = (0..<length).map { _ in
            switch isWild ? Int.random(in: 0..<14, using: &random) : 9 {
            case 0: Double.nan
            case 1: Double.infinity
            case 2: -Double.infinity
            default: Double(Int.random(in: -900...900, using: &random)) / 7
            }
        }
        return gaps(values, &random)
    }

    private static func histogram(_ random: inout SplitMix) -> [([String: String], [Double?])] {
        let bounds = ["0.01", "0.05", "0.1", "0.5", "1", "+Inf"]
        var counts = bounds.map { _ in 0.0 }
        var columns: [[Double]] = bounds.map { _ in [] }
        for _ in 0..<length {
            if Int.random(in: 0..<40, using: &random) == 0 { counts = bounds.map { _ in 0 } }
            var added = 0.0
            for place in bounds.indices {
                added += Double(Int.random(in: 0...5, using: &random))
                counts[place] += added
                columns[place].append(counts[place])
            }
        }
        let holes = gaps(Array(repeating: 1, count: length), &random)
        return zip(bounds, columns).map { bound, column in
            (["le": bound], zip(column, holes).map { $1 == nil ? nil : $0 })
        }
    }
}
