import Foundation
import SparkMetrics
import Testing

@Suite("Agreement with Prometheus")
struct AgreementTests {
    @Test(
        "Every expression gives what Prometheus gives, on random series with resets, gaps, NaN and ends",
        .enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.missing)), arguments: [1, 2, 3] as [UInt64])
    func agreement(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let source = RandomSeries.make(&random)
        // promtool reads a series only up to the last query's time, so the last one is after all samples.
        let times = (0..<6).map { _ in Double(Int.random(in: 0...1_400_000, using: &random)) / 1_000 } + [0, 300, 900, 1_600]
        let questions = AgreementExpressions.all.flatMap { expression in times.map { (expression, $0) } }
        let answers = PromtoolAnswers(try await Promtool.test(PromtoolAnswers.file(source, questions)).output)
        var compared = 0
        for (place, question) in questions.enumerated() {
            let (expression, time) = question
            let comment = Comment(rawValue: "seed \(seed): \(expression) at \(time)")
            guard let theirs = answers.at(place) else {
                Issue.record(comment)
                continue
            }
            let ours = Result { try evaluate(expression, at: time, in: source) }
            switch (ours, theirs) {
            case (.failure, .failure): break
            case (.success(let ours), .success(let theirs)):
                #expect(Self.agree(ours, theirs), "\(comment): ours \(ours), theirs \(theirs)")
                compared += ours.count
            default: Issue.record("\(comment): ours \(ours), theirs \(theirs)")
            }
        }
        #expect(compared > questions.count / 2)
    }

    private static func agree(_ ours: [[String: String]: Double], _ theirs: [[String: String]: Double]) -> Bool {
        guard Set(ours.keys) == Set(theirs.keys) else { return false }
        return ours.allSatisfy { labels, value in
            guard let other = theirs[labels] else { return false }
            if value.isNaN || other.isNaN { return value.isNaN && other.isNaN }
            return value == other || abs(value - other) <= 1e-9 * max(abs(value), abs(other))
        }
    }
}

/// Random numbers that a seed repeats (Steele, Lea, Flood 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
