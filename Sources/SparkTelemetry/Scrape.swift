/// What a scrape answered, read back: for programs that look at a running server.
public struct Scrape: Sendable {
    public struct Sample: Hashable, Sendable {
        public let labels: [String: String]
        public let value: Double
    }

    private var samples: [String: [Sample]] = [:]

    /// Reads the text format 0.0.4. Lines that are none of it are passed over.
    public init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if let (name, sample) = Self.sample(line) { samples[name, default: []].append(sample) }
        }
    }

    /// The samples of a name whose labels have these values.
    public func samples(_ name: String, where labels: [String: String] = [:]) -> [Sample] {
        (samples[name] ?? []).filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
    }

    /// All samples of a name together; nil if there is none.
    public func sum(_ name: String, where labels: [String: String] = [:]) -> Double? {
        let found = samples(name, where: labels)
        return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
    }

    /// How much a counter grew since an earlier scrape; one that is lower now began anew.
    public func growth(_ name: String, since earlier: Scrape, where labels: [String: String] = [:]) -> Double? {
        guard let now = sum(name, where: labels) else { return nil }
        let before = earlier.sum(name, where: labels) ?? 0
        return now < before ? now : now - before
    }

    /// A quantile of what a histogram observed since an earlier scrape, as Prometheus's `histogram_quantile` guesses it; nil without
    /// an observation.
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

    /// Takes one label and the comma behind it.
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
