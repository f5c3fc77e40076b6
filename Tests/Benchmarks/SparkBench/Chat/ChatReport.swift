import Histogram
package import SparkCore

/// Times of many messages, in microseconds from when each was due.
package struct DueLatencies: Sendable {
    private static let longest: Int64 = 120_000_000
    private var histogram = Histogram<UInt32>(
        highestTrackableValue: UInt64(longest), numberOfSignificantValueDigits: .three)
    package private(set) var count = 0

    package init() {}

    package mutating func record(microseconds: Int64) {
        _ = histogram.record(UInt64(min(max(microseconds, 1), Self.longest)))
        count += 1
    }

    package mutating func add(_ other: DueLatencies) {
        histogram.add(other.histogram)
        count += other.count
    }

    /// Milliseconds.
    package func percentile(_ percent: Double) -> Double {
        count == 0 ? 0 : Double(histogram.valueAtPercentile(percent)) / 1_000
    }

    package func write(_ name: String, to writer: inout JSONWriter) {
        writer.key(name)
        writer.object { writer in
            writer.field("count", count)
            for (key, percent) in [("p50_ms", 50.0), ("p95_ms", 95), ("p99_ms", 99), ("p999_ms", 99.9), ("max_ms", 100)] {
                writer.field(key, percentile(percent))
            }
        }
    }

    package var line: String {
        func short(_ percent: Double) -> String { String(Double(Int(percentile(percent) * 100)) / 100) }
        return "p50 \(short(50)), p95 \(short(95)), p99 \(short(99)), p99.9 \(short(99.9)), max \(short(100)) ms"
    }
}

/// The result of one run of the load.
package struct ChatReport: JSONWritable, Sendable {
    package var rate = 0
    package var seconds = 0.0
    package var sent = 0
    package var acknowledged = 0
    package var refused = 0
    /// Messages that reached the other person, each counted once.
    package var delivered = 0
    /// Copies beyond the first.
    package var repeated = 0
    /// Acknowledged and never delivered.
    package var lost = 0
    /// Connections that ended during the run.
    package var closed = 0
    package var acknowledgement = DueLatencies()
    package var delivery = DueLatencies()

    package init() {}

    package mutating func add(_ other: ChatReport) {
        sent += other.sent
        acknowledged += other.acknowledged
        refused += other.refused
        delivered += other.delivered
        repeated += other.repeated
        lost += other.lost
        closed += other.closed
        acknowledgement.add(other.acknowledgement)
        delivery.add(other.delivery)
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("rate", rate)
            writer.field("seconds", seconds)
            writer.field("sent", sent)
            writer.field("acknowledged", acknowledged)
            writer.field("refused", refused)
            writer.field("delivered", delivered)
            writer.field("repeated", repeated)
            writer.field("lost", lost)
            writer.field("closed", closed)
            acknowledgement.write("acknowledgement", to: &writer)
            delivery.write("delivery", to: &writer)
        }
    }

    package var lines: [String] {
        [
            "\(rate) messages/s for \(Int(seconds)) s: sent \(sent), acknowledged \(acknowledged), refused \(refused), "
                + "delivered \(delivered), repeated \(repeated), lost \(lost), connections closed \(closed)",
            "  send → acknowledged: \(acknowledgement.line)",
            "  send → received:     \(delivery.line)",
        ]
    }
}
