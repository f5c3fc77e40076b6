/// A parsed scrape, for programs that monitor a running server.
public struct Scrape: Sendable {
    /// One sample of a metric.
    public struct Sample: Hashable, Sendable {
        /// The labels, by name.
        public let labels: [String: String]
        /// The sample's value.
        public let value: Double
    }

    private var samples: [String: [Sample]] = [:]

    /// Reads the text format 0.0.4. Ignores lines in another format.
    public init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if let (name, sample) = Self.sample(line) { samples[name, default: []].append(sample) }
        }
    }

    /// The samples of a name that have these label values.
    public func samples(_ name: String, where labels: [String: String] = [:]) -> [Sample] {
        (samples[name] ?? []).filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
    }

    /// The sum of a name's samples; nil if there are none.
    public func sum(_ name: String, where labels: [String: String] = [:]) -> Double? {
        let found = samples(name, where: labels)
        return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
    }

    /// The growth of a counter since an earlier scrape. A lower value than before means that the counter restarted from zero.
    public func growth(_ name: String, since earlier: Scrape, where labels: [String: String] = [:]) -> Double? {
        guard let now = sum(name, where: labels) else { return nil }
        let before = earlier.sum(name, where: labels) ?? 0
        return now < before ? now : now - before
    }

    /// A quantile of the values that a histogram observed since an earlier scrape, estimated as Prometheus's `histogram_quantile`
    /// does; nil without observations.
    public func quantile(_ quantile: Double, of name: String, since earlier: Scrape) -> Double? {
        let bounds = Set(samples("\(name)_bucket").compactMap { $0.labels["le"] })
        let counts = bounds.compactMap { text -> (bound: Double, count: Double)? in
            guard let bound = text == "+Inf" ? .infinity : Double(text) else { return nil }
            return (bound, growth("\(name)_bucket", since: earlier, where: ["le": text]) ?? 0)
        }.sorted { $0.bound < $1.bound }
        guard let total = counts.last?.count, total > 0 else { return nil }
        let rank = quantile * total
        guard let index = counts.firstIndex(where: { $0.count >= rank }) else { return nil }
        let (bound, count) = counts[index]
        let (lower, before) = index > 0 ? counts[index - 1] : (0, 0)
        guard bound.isFinite else { return lower }
        return count > before ? lower + (bound - lower) * (rank - before) / (count - before) : bound
    }

    private static func sample(_ line: Substring) -> (String, Sample)? {
        guard let nameEnd = line.firstIndex(where: { $0 == "{" || $0 == " " }) else { return nil }
        var rest = line[nameEnd...]
        var labels: [String: String] = [:]
        if rest.hasPrefix("{") {
            rest = rest.dropFirst()
            while let (name, value) = label(&rest) { labels[name] = value }
            guard rest.hasPrefix("}") else { return nil }
            rest = rest.dropFirst()
        }
        guard let word = rest.split(separator: " ").first, let value = number(word) else { return nil }
        return (String(line[..<nameEnd]), Sample(labels: labels, value: value))
    }

    /// Parses one label and the comma after it.
    private static func label(_ rest: inout Substring) -> (String, String)? {
        guard let equals = rest.firstIndex(of: "=") else { return nil }
        let name = String(rest[..<equals])
        var tail = rest[rest.index(after: equals)...]
        guard tail.popFirst() == "\"" else { return nil }
        var value = ""
        while let character = tail.popFirst(), character != "\"" {
            guard character == "\\" else {
                value.append(character)
                continue
            }
            guard let escaped = tail.popFirst() else { return nil }
            value.append(escaped == "n" ? "\n" : escaped)
        }
        if tail.hasPrefix(",") { tail = tail.dropFirst() }
        rest = tail
        return (name, value)
    }

    private static func number(_ word: Substring) -> Double? {
        switch word {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(word)
        }
    }
}
