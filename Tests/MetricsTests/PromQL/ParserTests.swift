import SparkMetrics
import Testing

@Suite("The parser of PromQL")
struct ParserTests {
    @Test("Invalid and unsupported expressions are refused with a place or a reason", arguments: refusedExpressions)
    func refused(text: String) {
        #expect(throws: PromQLError.self) { try PromQuery(text) }
    }

    static let refusedExpressions = [
        "", " ", "(", ")", "1 +", "+ ", "a b", "a{", "a{b}", "a{b=}", "a{b=c}", #"a{b=~"("}"#, "a[5m", "a[5]", "a[0s]",
        "a[5m][5m]",
        "rate(a)", "rate(a[5m], 1)", "nope(a)", "sum()", "sum(1)", "sum(a[5m])", "topk(a)", "topk(a, a)", "1 and a", "a and 1",
        "1 == 1", "a + on(b) 1", "{}", #"{a="b"}"#, #"{__name__=~"a.*"}"#, #"a{__name__="b"}"#, "a offset", "a offset 5",
        "a @ 5", "rate(a[5m:1m])", "2 ^ 2", "'a", "\"a\n\"", #"a{b="\q"}"#, "5m", "1m5h", "9e99999999y", "99999999999999999999y",
        "0x", "1.2.3", "1e", "!a", "a == bool", "a by (b)", "sum by a (b)", "-a[5m]", "é", "a{1=\"b\"}", "a * group_left b",
    ]

    @Test("Names of functions and keywords are names where nothing follows that makes them more")
    func names() throws {
        #expect(try PromQuery("sum + rate{by=\"x\"} * avg").names == ["sum", "rate", "avg"])
        #expect(try PromQuery("bool or offset").names == ["bool", "offset"])
        #expect(try PromQuery("rate(a_bucket[5m]) and on (x) {__name__=\"b\"}").names == ["a_bucket", "b"])
    }

    @Test("The reach is that of the selector that looks back the farthest")
    func reach() throws {
        #expect(try PromQuery("rate(a[10m] offset 1h30m) + b").reach == .seconds(6_000))
        #expect(try PromQuery("b > 1").reach == .seconds(300))
        #expect(try PromQuery("1").reach == .zero)
    }

    @Test(
        "Depth is bounded for brackets and for chains",
        arguments: [
            String(repeating: "(", count: 8_000), String(repeating: "(", count: 150) + "1" + String(repeating: ")", count: 150),
            String(repeating: "1+", count: 4_000) + "1", String(repeating: "abs(", count: 2_000),
            String(repeating: "-", count: 16_000), String(repeating: "x", count: 17_000),
        ])
    func deep(text: String) {
        #expect(throws: PromQLError.self) { try PromQuery(text) }
    }

    @Test("No bytes trap: random ones, and real expressions with some changed", arguments: [11, 12, 13] as [UInt64])
    func fuzz(seed: UInt64) {
        var random = SplitMix(state: seed)
        let corpus = AgreementExpressions.all.map { Array($0.utf8) }
        let alphabet = Array("abs(){}[],+-*/%=!~<>\"'`\\0123456789.xemhdywoffsetbyongru_left \n#é∞\u{0}".utf8)
        let source = RandomSeries.make(&random)
        for round in 0..<1_500 {
            var bytes = corpus.randomElement(using: &random) ?? []
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                if Bool.random(using: &random) || place == bytes.count {
                    bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                } else if Bool.random(using: &random) {
                    bytes.remove(at: place)
                } else {
                    bytes.insert(contentsOf: corpus.randomElement(using: &random) ?? [], at: place)
                }
            }
            _ = try? evaluate(String(decoding: bytes, as: UTF8.self), at: 700, in: source)
        }
    }
}
