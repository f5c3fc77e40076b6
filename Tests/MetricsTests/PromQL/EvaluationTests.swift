import SparkMetrics
import Testing

/// A few results that can be checked by hand; unlike the comparison with Prometheus, these run everywhere.
@Suite("The evaluation of PromQL")
struct EvaluationTests {
    private var source: RecordedSeries {
        var source = RecordedSeries()
        source.add("served_total", ["code": "200"], (0...40).map { Double($0 * 30) })
        let reset: [Double?] = (0...40).map { place in Double((place < 20 ? place : place - 20) * 15) }
        source.add("served_total", ["code": "500"], reset)
        source.add("heat", ["room": "a"], [1, 2, nil, 4])
        for (bound, count) in [("0.1", 10.0), ("0.5", 30), ("1", 40), ("+Inf", 40)] {
            source.add("took_bucket", ["le": bound], (0...40).map { Double($0) * count })
        }
        return source
    }

    @Test("A rate continues across a counter that restarted")
    func rate() throws {
        let rates = try evaluate("rate(served_total[5m])", at: 450, in: source)
        #expect(rates == [["code": "200"]: 2, ["code": "500"]: 0.95])
        #expect(try evaluate("sum(increase(served_total[5m]))", at: 600, in: source).values.first == 900)
    }

    @Test("A quantile lies within its bucket, in proportion")
    func quantile() throws {
        let value = try evaluate("histogram_quantile(0.5, rate(took_bucket[5m]))", at: 600, in: source)[[:]]
        #expect(abs((value ?? 0) - 0.3) < 1e-12)
    }

    @Test("A sample is visible for five minutes, and no longer")
    func lookback() throws {
        #expect(try evaluate("heat", at: 45, in: source).values.first == 4)
        #expect(try evaluate("heat", at: 44.999, in: source).values.first == 2)
        #expect(try evaluate("heat", at: 345, in: source).values.first == 4)
        #expect(try evaluate("heat", at: 345.001, in: source).isEmpty)
        #expect(try evaluate(#"absent(heat{room="a"})"#, at: 346, in: source) == [["room": "a"]: 1])
    }

    @Test("Elements that cannot be distinguished are an error, not a guess")
    func ambiguous() throws {
        var source = source
        source.add("heat", ["room": "b"], [1, 1, 1, 1])
        #expect(throws: PromQLError.self) { try evaluate("heat + on() heat", at: 45, in: source) }
        #expect(throws: PromQLError.self) { try evaluate("-(heat or on(__name__) served_total)", at: 1e9, in: doubled) }
    }

    private var doubled: RecordedSeries {
        var source = RecordedSeries(step: .seconds(1_000_000_000))
        source.add("heat", ["x": "1"], [1, 1])
        source.add("served_total", ["x": "1"], [2, 2])
        return source
    }

    @Test("An evaluation reads no more samples than it may")
    func bound() throws {
        var source = RecordedSeries(step: .milliseconds(1))
        let values: [Double?] = Array(repeating: 1, count: 90_000)
        for place in 0..<12 { source.add("a", ["b": "\(place)"], values) }
        #expect(try evaluate("count(a)", at: 90, in: source).values.first == 12)
        #expect(throws: PromQLError.self) {
            try evaluate(Array(repeating: "count(a)", count: 5).joined(separator: "+"), at: 90, in: source)
        }
    }
}
