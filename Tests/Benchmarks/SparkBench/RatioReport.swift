public import SparkCore

/// Figures that `make bench` compares with its thresholds: parts of Spark beside plain code that does the same.
public struct RatioReport: JSONWritable, Sendable {
    let memory: MemorySpeed
    let search: SearchSpeed

    /// - Parameter isSmall: a few steps, to see that it works.
    public static func measure(isSmall: Bool) -> RatioReport {
        isSmall
            ? RatioReport(
                memory: .measure(steps: 500, rounds: 1, entries: 200), search: .measure(people: 1_000, probes: 20, rounds: 1))
            : RatioReport(memory: .measure(), search: .measure())
    }

    /// Whether the measured parts gave right answers; otherwise the ratios mean nothing.
    public var isValid: Bool { memory.misses == 0 && search.differing == 0 }

    /// How many times as fast Spark is, by the names of the thresholds.
    public var ratios: [(name: String, ratio: Double)] {
        [
            ("cache get/Dictionary", memory.dictionaryGet / memory.get),
            ("cache put/Dictionary", memory.dictionaryPut / memory.put),
            ("deck search/scan", search.scan / search.index),
        ]
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in for (name, ratio) in ratios { writer.field(name, ratio.rounded(to: 3)) } }
    }

    /// For a terminal.
    public var lines: [String] {
        [
            "cache get \(Int(memory.get)) ns, a dictionary under one lock \(Int(memory.dictionaryGet)) ns",
            "cache put \(Int(memory.put)) ns, a dictionary under one lock \(Int(memory.dictionaryPut)) ns",
            "50 nearest by the hot index \(search.index.rounded(to: 1)) µs, by a scan of everyone \(search.scan.rounded(to: 1)) µs",
            "\(memory.misses) misses, \(search.differing) searches differ",
        ]
    }
}
