import Foundation
import Logging
import Spark
import SparkAccounts
import SparkAudit
import SparkClient
import SparkCore
import SparkKit
import SparkMatching
import SparkTestSupport
import Testing

@Suite("The audit of locations")
struct LocationAuditTests {
    private func audit(_ modules: [any SparkModule.Type], settings: [String] = []) async throws -> LocationReport {
        let spark = try await Spark.start(
            modules: modules, settings: ["http.listen=127.0.0.1:0"] + settings,
            logger: Logger(label: "audit") { _ in SwiftLogNoOpLogHandler() })
        // The guarantee is the usual one, whatever the server does.
        let ground = AuditGround(cellMetres: 1_000, hiddenCellMetres: 10_000, floorMetres: 0)
        let report = try await LocationAudit(
            client: SparkClient(patient: spark.listening.url), ground: ground, size: .smoke, seed: 2
        ).run()
        try await spark.stop()
        return report
    }

    @Test("no attack gets closer than half a cell")
    func holds() async throws {
        let report = try await audit(
            sparkModules, settings: ["profiles.location_changes_per_hour=10000", "profiles.max_speed_kmh=0"])
        #expect(report.holds, "\(report.lines.joined(separator: "\n"))")
        #expect(report.outcomes.count == 22)
        // The attacks worked: they found what there is to find.
        for outcome in report.outcomes where !outcome.errors.isEmpty {
            #expect(outcome.errors.count == outcome.victims, "\(outcome.attack)")
            // The order of the deck hangs on more than distance, by how often people were shown, so in so small an audit it may find less.
            let bound = outcome.attack.contains("order") ? 5_000.0 : 800
            #expect(try #require(outcome.medianMissOfCentre) < bound, "\(outcome.attack)")
        }
        let (seeing, blind) = (report.outcomes.filter(\.mayLocate), report.outcomes.filter { !$0.mayLocate })
        #expect(seeing.filter(\.errors.isEmpty).map(\.exposure) == [.hidden, .hidden])
        #expect(blind.count == 3 && blind.allSatisfy(\.errors.isEmpty))
    }

    @Test("the table of the page on privacy has a row for every attack")
    func page() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/guide/privacy.md"), encoding: .utf8)
        for name in AuditSize.full.attackNames { #expect(page.contains("\n| \(name)"), "\(name)") }
    }

    @Test("without snapping the same audit fails, attack by attack")
    func unsnapped() async throws {
        let report = try await audit([AccountsModule.self, UnsnappedProfilesModule.self, MatchingModule.self])
        #expect(!report.holds)
        // The order of the deck knows whole kilometres of both people and hangs on identifiers, so it may miss in so small an audit.
        let kept = report.outcomes.filter { $0.holds && !$0.errors.isEmpty }
        #expect(kept.count <= 1 && kept.allSatisfy { $0.attack.contains("order") }, "\(report.lines.joined(separator: "\n"))")
        let medians = report.outcomes.compactMap(\.median)
        #expect(try #require(medians.min()) < 100)
    }
}
