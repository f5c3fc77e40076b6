import Foundation
import Testing

@Suite("The names of the product")
struct UnusedNameTests {
    /// Names that something outside of the tree uses.
    private static let exceptions: [String: String] = [
        "Program": "@main",
        "makeCounter": "a witness of swift-metrics", "makeFloatingPointCounter": "a witness of swift-metrics",
        "makeMeter": "a witness of swift-metrics", "makeRecorder": "a witness of swift-metrics",
        "makeTimer": "a witness of swift-metrics", "destroyCounter": "a witness of swift-metrics",
        "destroyFloatingPointCounter": "a witness of swift-metrics", "destroyMeter": "a witness of swift-metrics",
        "destroyRecorder": "a witness of swift-metrics", "destroyTimer": "a witness of swift-metrics",
        "channelActive": "a witness of SwiftNIO",
        "furtherCounters": "room of a structure of Linux", "receivedBytes": "room of a structure of Linux",
    ]

    /// What modules outside of this package use. The other targets are not offered to them.
    private static let libraries = ["SparkCore", "SparkKit", "SparkStorage", "SparkCache", "SparkClient", "SparkTesting"]

    @Test("each occur more than once in the sources and tests: what is declared is used")
    func used() throws {
        var counts: [String: Int] = [:]
        let tests = SourceTree.tests.filter { !$0.path.hasPrefix("Tests/TidyTests/") }.map { SwiftText($0.text) }
        for text in SourceTree.texts.map(\.text) + tests {
            for name in text.identifiers { counts[name, default: 0] += 1 }
        }
        let declaration = try NSRegularExpression(
            pattern: #"\b(?:func|var|let|struct|class|enum|protocol|actor|typealias)\s+`?([A-Za-z_][A-Za-z0-9_]*)"#)
        var (declared, excepted) = (0, Set<String>())
        for file in SourceTree.product {
            let isOffered = Self.libraries.contains { file.path.hasPrefix("Sources/\($0)/") }
            for (index, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard !code.hasPrefix("//"), !isOffered || !code.hasPrefix("public ") else { continue }
                let text = String(code)
                for match in declaration.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
                    guard let range = Range(match.range(at: 1), in: text) else { continue }
                    let name = String(text[range])
                    declared += 1
                    guard counts[name] == 1 else { continue }
                    if Self.exceptions[name] != nil {
                        excepted.insert(name)
                    } else {
                        Issue.record("\(file.path):\(index + 1): \(name)")
                    }
                }
            }
        }
        #expect(declared > 5_000, "the rule finds declarations where they are")
        #expect(Set(Self.exceptions.keys).subtracting(excepted) == [], "exceptions that nothing needs")
    }
}
