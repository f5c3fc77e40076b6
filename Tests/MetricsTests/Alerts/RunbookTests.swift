import Foundation
import Testing

@testable import SparkMetrics

@Suite("The runbook")
struct RunbookTests {
    private static let page = "docs/operating/runbook.md"

    /// The sections under "Alerts": the heading of each, and its text.
    private static let sections: [(name: String, text: String)] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = (try? String(contentsOf: root.appending(path: page), encoding: .utf8)) ?? ""
        let alerts = text.components(separatedBy: "\n## ").first { $0.hasPrefix("Alerts\n") } ?? ""
        return alerts.components(separatedBy: "\n### ").dropFirst().map { section in
            let name = section.prefix { $0 != "\n" }
            return (String(name), String(section.dropFirst(name.count)))
        }
    }()

    @Test("has a section for each built-in rule, and no other")
    func complete() {
        let names = DefaultRules.rows.map(\.name)
        #expect(Self.sections.map(\.name).sorted() == names.sorted())
    }

    @Test("says of each alert what it means, what to look at, what to do, and when it is over")
    func parts() {
        for (name, text) in Self.sections {
            let places = ["\n**Means.** ", "\n**Look.**", "\n**Do.** ", "\n**Over** "].map { text.range(of: $0)?.lowerBound }
            let found = places.compactMap { $0 }
            #expect(found.count == places.count && found == found.sorted(), "\(name)")
            #expect(text.contains("\n```sh\n"), "\(name) has no command")
        }
    }

    @Test("is where the annotation of each rule leads")
    func annotations() {
        let anchors = Self.sections.map { "\(Self.page)#\($0.name.lowercased())" }
        let links = DefaultRules.groups.flatMap(\.rules).map { $0.annotations["runbook"]?.text ?? "" }
        #expect(links.sorted() == anchors.sorted())
    }
}
