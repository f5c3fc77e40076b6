import SparkCore
import Testing

@testable import SparkDemo

@Suite("The embedded demo data")
struct DemoDataTests {
    @Test("every line of the files becomes a row")
    func complete() throws {
        let vocabulary = try DemoVocabulary()
        func lineCount(_ file: EmbeddedFile) -> Int { file.text?.utf8.count { $0 == UInt8(ascii: "\n") } ?? 0 }
        #expect(vocabulary.cities.count == lineCount(.cities) - 1)
        #expect(vocabulary.names.map(\.count).reduce(0, +) == lineCount(.names) - 1)
        #expect(vocabulary.interests.count == lineCount(.interests))
        #expect(vocabulary.biographies.count == lineCount(.biographies))
        #expect(vocabulary.cities.count >= 400 && vocabulary.interests.count >= 80)
        #expect(vocabulary.cities.first?.name == "Tokyo" && vocabulary.cities.contains { $0.name == "São Paulo" })
    }

    @Test("the people of a demo town have names and texts that a person might have given")
    func texts() throws {
        let vocabulary = try DemoVocabulary()
        for name in vocabulary.names.joined() { #expect(try TextRule.name.normalised(name) == name) }
        for interest in vocabulary.interests { #expect(try TextRule.interest.normalised(interest) == interest) }
        for text in try #require(EmbeddedFile.biographies.text).split(separator: "\n").map(String.init) {
            #expect(try TextRule.about.normalised(text) == text)
        }
    }

    @Test(
        "a faulty line is refused with its number",
        arguments: [
            ("h,k\na,1", 2), ("h,k\n\na,1\n", 2), ("h,k\na,1\nb,2\r\n", 3), ("h,k\na,1\n b,2\n", 3), ("h,k\na,1\na,1\n", 3),
            ("h,k\na,1,\n", 2), ("h,k\na,1,2\n", 2), ("h,k\na\n", 2), ("h,k\na,\n", 2), ("h,k\na,x\n", 2), ("k,h\na,1\n", 1),
            ("", 1),
        ])
    func refusals(text: String, line: Int) throws {
        let error = try #require(throws: DemoDataError.self) {
            try LineFile(path: "file", text: text).rows(header: "h,k") { Int($0[1]) }
        }
        #expect(error.line == line && error.path == "file")
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: DemoDataError.self) { try LineFile(path: "file", text: nil) }
    }

    @Test(
        "a city out of the ranges is refused",
        arguments: [
            ["Paris", "FR", "91", "2.35", "100"], ["Paris", "FR", "48.8", "nan", "100"], ["Paris", "FRA", "48.8", "2.35", "100"],
            ["Paris", "FR", "48.8", "2.35", "0"], ["Paris", "FR", "48.8", "2.35", "2e6"], ["Paris", "FR", "", "2.35", "100"],
        ])
    func cities(fields: [String]) {
        #expect(City(fields: fields.map { Substring($0) }) == nil)
    }

    @Test("a fragment takes one gap, not at its start, and no stray brace")
    func fragments() throws {
        for line in ["{interest} first", "{interest} and {interest}", "a {interest} and {interest}", "a {intrest}", "a } b"] {
            #expect(BiographyFragment(line: Substring(line)) == nil)
        }
        var text = ""
        try #require(BiographyFragment(line: "I like {interest}.")).append(to: &text, interest: "jazz")
        try #require(BiographyFragment(line: " Often.")).append(to: &text, interest: "chess")
        #expect(text == "I like jazz. Often.")
    }

    @Test("shares in the hundred are drawn as such, and strips give different indices")
    func draws() {
        var draw = Draw(seed: 1, stream: 1)
        let shares = Shares<Int>([90: 1, 10: 2])
        let drawn = (0..<10_000).map { _ in draw.one(of: shares) }
        #expect(abs(share(of: drawn) { $0 == 2 } - 0.1) < 0.015)
        for total in 1...20 {
            for count in 0...total {
                var indices: Set<Int> = []
                draw.spread(count, of: total) { indices.insert($0) }
                #expect(indices.count == count && indices.allSatisfy((0..<total).contains))
            }
        }
        let fractions = (0..<10_000).map { _ in draw.fraction() }
        #expect(fractions.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = (0..<10_000).map { _ in draw.exponential() }.reduce(0, +) / 10_000
        #expect(abs(mean - 1) < 0.04)
    }
}
