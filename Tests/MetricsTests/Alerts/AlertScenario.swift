/// The series while a rule must fire, for 25 minutes, and while it must not, for 40 more.
struct AlertScenario {
    enum Signal {
        case level(Double)
        /// Grows by this much every 15 seconds.
        case grows(Double)
    }

    struct Row {
        let name: String
        let labels: [String: String]
        let bad: Signal
        let good: Signal

        init(_ name: String, _ labels: [String: String] = [:], bad: Signal, good: Signal) {
            self.name = name
            self.labels = labels
            self.bad = bad
            self.good = good
        }
    }

    static let badMinutes = 25
    static let minutes = 65

    let rule: String
    let rows: [Row]

    init(_ rule: String, _ rows: Row...) {
        self.rule = rule
        self.rows = rows
    }

    /// A histogram of one second's worth of observations, slow at first: none is faster than all but the last bounds.
    static func histogram(_ name: String, _ labels: [String: String] = [:], fast: Double, slow: Double) -> [Row] {
        let bounds = [(fast, "\(fast)", false), (slow, "\(slow)", true), (Double.infinity, "+Inf", true)]
        return bounds.map { _, text, isSlow in
            Row("\(name)_bucket", labels.merging(["le": text]) { $1 }, bad: .grows(isSlow ? 20 : 1), good: .grows(20))
        }
    }

    init(_ rule: String, rows: [Row]) {
        self.rule = rule
        self.rows = rows
    }

    func record(into source: inout RecordedSeries, instance: String) {
        for row in rows {
            var value = 0.0
            let values: [Double?] = (0..<Self.minutes * 4).map { step in
                switch step < Self.badMinutes * 4 ? row.bad : row.good {
                case .level(let level): value = level
                case .grows(let amount): value += amount
                }
                return value
            }
            source.add(row.name, row.labels.merging(["instance": instance, "job": "spark"]) { $1 }, values)
        }
    }
}
