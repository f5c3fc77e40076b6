import Foundation

/// Reads promtool's results. Each query expects an impossible value, so that promtool prints the actual one.
struct PromtoolAnswers {
    struct Refusal: Error { let text: String }

    private let answers: [Int: Result<[[String: String]: Double], any Error>]

    static func file(_ source: RecordedSeries, _ questions: [(expression: String, time: Double)]) -> String {
        let asked = questions.enumerated().map { place, question in
            let expression = question.expression.replacing("'", with: "''")
            let milliseconds = Int((question.time * 1_000).rounded())
            return """
                      - expr: '\(expression)'
                        eval_time: \(milliseconds)ms
                        exp_samples: [{labels: 'question{number="\(place)"}', value: 0}]

                """
        }.joined()
        return """
            evaluation_interval: 15s
            tests:
              - interval: \(source.step.components.seconds)s
                input_series:
            \(source.yaml)    promql_expr_test:
            \(asked)
            """
    }

    init(_ output: String) {
        var answers: [Int: Result<[[String: String]: Double], any Error>] = [:]
        var place = 0
        var expected: Int?
        for line in output.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("expr:"), let error = line.range(of: ", err: ") {
                answers[place] = .failure(Refusal(text: String(line[error.upperBound...])))
                place += 1
            } else if line.hasPrefix("exp:") {
                expected = line.split(separator: "\"").dropFirst().lazy.compactMap { Int($0) }.first
                place = expected.map { $0 + 1 } ?? place
            } else if line.hasPrefix("got:"), let number = expected {
                answers[number] = .success(Self.elements(String(line.dropFirst(5))))
            }
        }
        self.answers = answers
    }

    func at(_ place: Int) -> Result<[[String: String]: Double], any Error>? { answers[place] }

    /// `{a="b"} 1E+00, {} NaN` or `nil`.
    private static func elements(_ text: String) -> [[String: String]: Double] {
        var out: [[String: String]: Double] = [:]
        for match in text.matches(of: /\{([^}]*)\} (\S+?)(?:,|$)/) {
            let labels = match.1.matches(of: /(\w+)="([^"]*)"/).map { (String($0.1), String($0.2)) }
            out[Dictionary(labels) { first, _ in first }] = Double(match.2.replacing("+Inf", with: "inf")) ?? .nan
        }
        return out
    }
}
