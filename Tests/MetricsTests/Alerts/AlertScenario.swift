/// The series while a rule must fire, for 25 minutes unless otherwise said, and while it must not, for 40 more.
struct AlertScenario {
    enum Signal {
        case level(Double)
        /// Grows by this much with every sample.
        case grows(Double)
        /// Grows by the first amount for a day and by the second one then.
        case slackens(Double, Double)
        /// Is not recorded.
        case absent
    }

    /// When the samples are taken and when they are bad.
    struct Course: Hashable {
        /// Seconds between two samples, and between two evaluations.
        var step = 15
        /// Minutes that are good at first.
        var goodMinutes = 0
        var badMinutes = 25
        /// The length of the whole.
        var minutes = 65
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

    let rule: String
    /// What happens, for a scenario in which the rule must not fire.
    let title: String
    let course: Course
    let rows: [Row]

    init(_ rule: String, _ rows: Row...) {
        self.init(rule, rows: rows)
    }

    /// A histogram of one second's worth of observations, slow at first: none is faster than all but the last bounds.
    static func histogram(_ name: String, _ labels: [String: String] = [:], fast: Double, slow: Double) -> [Row] {
        let bounds = [(fast, "\(fast)", false), (slow, "\(slow)", true), (Double.infinity, "+Inf", true)]
        return bounds.map { _, text, isSlow in
            Row("\(name)_bucket", labels.merging(["le": text]) { $1 }, bad: .grows(isSlow ? 20 : 1), good: .grows(20))
        }
    }

    init(_ rule: String, _ title: String = "", over course: Course = Course(), rows: [Row]) {
        self.rule = rule
        self.title = title
        self.course = course
        self.rows = rows
    }

    /// The last evaluation in the bad time, in seconds.
    var badEnd: Int { (course.goodMinutes + course.badMinutes) * 60 - course.step }

    func record(into source: inout RecordedSeries, instance: String) {
        for row in rows {
            var value = 0.0
            let values: [Double?] = stride(from: 0, to: course.minutes * 60, by: course.step).map { second in
                let isBad = second >= course.goodMinutes * 60 && second <= badEnd
                switch isBad ? row.bad : row.good {
                case .level(let level): value = level
                case .grows(let amount): value += amount
                case .slackens(let first, let later): value += second < 86_400 ? first : later
                case .absent: return nil
                }
                return value
            }
            source.add(row.name, row.labels.merging(["instance": instance, "job": "spark"]) { $1 }, values)
        }
    }
}
