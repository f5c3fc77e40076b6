/// Estimates a quantile from cumulative buckets, by linear interpolation within a bucket (Prometheus, `bucketQuantile`).
struct HistogramQuantile {
    private struct Bucket {
        let end: Double
        var count: Double
    }

    private let quantile: Double

    init(_ quantile: Double) { self.quantile = quantile }

    /// One element per set of labels without `le`. Elements whose `le` is not a number are left out.
    func of(_ elements: [PromElement]) throws(PromQLError) -> [PromElement] {
        var order: [[String: String]] = []
        var buckets: [[String: String]: [Bucket]] = [:]
        for element in elements {
            guard let text = element.labels["le"], let end = Self.bound(text) else { continue }
            var labels = element.labels.unnamed()
            labels["le"] = nil
            if buckets[labels] == nil { order.append(labels) }
            buckets[labels, default: []].append(Bucket(end: end, count: element.value))
        }
        return order.map { PromElement(labels: $0, value: value(in: buckets[$0] ?? [])) }
    }

    private static func bound(_ text: String) -> Double? {
        switch text {
        case "+Inf", "Inf": .infinity
        case "-Inf": -.infinity
        default: Double(text)
        }
    }

    private func value(in unordered: [Bucket]) -> Double {
        if quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        let buckets = monotonic(unordered.sorted { $0.end < $1.end })
        guard buckets.count > 1, let last = buckets.last, last.end == .infinity, last.count != 0 else { return .nan }
        let rank = quantile * last.count
        let place = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
        if place == buckets.count - 1 { return buckets[buckets.count - 2].end }
        let bucket = buckets[place]
        guard place > 0 else {
            return bucket.end <= 0 ? bucket.end : bucket.end * (rank / bucket.count)
        }
        let below = buckets[place - 1]
        return below.end + (bucket.end - below.end) * ((rank - below.count) / (bucket.count - below.count))
    }

    /// Merges buckets with the same bound. Raises a count below its predecessor's, which occurs when a scrape overlaps an update.
    private func monotonic(_ sorted: [Bucket]) -> [Bucket] {
        var buckets: [Bucket] = []
        for bucket in sorted {
            if let last = buckets.last, last.end == bucket.end {
                buckets[buckets.count - 1].count += bucket.count
            } else {
                buckets.append(bucket)
            }
        }
        for place in buckets.indices.dropFirst() where buckets[place].count < buckets[place - 1].count {
            buckets[place].count = buckets[place - 1].count
        }
        return buckets
    }
}
