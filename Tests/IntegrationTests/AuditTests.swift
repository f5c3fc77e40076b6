import Foundation
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark audit privacy")
struct PrivacyAuditCommandTests {
    @Test("every answer about who hides is that about nobody, and a pass tells nothing")
    func holds() async throws {
        let audit = try await SparkProcess.run(["audit", "privacy", "--json"])
        #expect(audit.status == 0, "\(audit.errors) \(audit.output)")
        let report = try JSONParser.parse(Array(audit.output.utf8))
        let questions = report["questions"]?.array ?? []
        #expect(report["holds"] == true && questions.count > 60 && report["shown"]?.array?.isEmpty == true)
        let absent = try #require(questions.first { $0["class"] == "absent" && $0["question"] == "GET /api/v1/users/{id}" })
        #expect(absent["relations"]?.array?.count == 10)
    }

    @Test("a server that is not there is 69")
    func nowhere() async throws {
        let audit = try await SparkProcess.run(["audit", "privacy", "--server", "http://127.0.0.1:1"])
        #expect(audit.status == 69 && audit.errors.contains("http://127.0.0.1:1"))
    }
}

@Suite("spark audit location")
struct AuditTests {
    @Test("below the floor the exit code is 1, and JSON names the attacks that got there")
    func belowFloor() async throws {
        // Farther than a cell of 1 km can keep anybody.
        let audit = try await SparkProcess.run([
            "audit", "location", "--size", "smoke", "--json", "--set", "profiles.audit_floor_metres=900",
        ])
        #expect(audit.status == 1, "\(audit.errors)")
        let report = try JSONParser.parse(Array(audit.output.utf8))
        #expect(report["holds"] == false)
        let shown = (report["attacks"]?.array ?? []).filter { $0["distance"] == "shown" }
        #expect(shown.count == 12 && shown.allSatisfy { $0["floor_m"] == 900 })
        let first = try #require(shown.first)
        #expect(first["holds"] == false && first["within_floor"] == first["victims"] && (first["min_m"]?.integer ?? 0) > 300)
    }

    @Test("a server that is not there is 69, a size that is none a usage error")
    func refusals() async throws {
        let nowhere = try await SparkProcess.run(["audit", "location", "--size", "smoke", "--server", "http://127.0.0.1:1"])
        #expect(nowhere.status == 69 && nowhere.errors.contains("http://127.0.0.1:1"))
        #expect(try await SparkProcess.run(["audit", "location", "--size", "huge"]).status == 64)
    }

    @Test("a running server with larger cells than its auditor believes is not audited")
    func otherGrid() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--set", "profiles.cell_metres=5000"])
        let audit = try await SparkProcess.run(["audit", "location", "--size", "smoke", "--server", spark.url])
        #expect(audit.status == 69 && audit.errors.contains("profiles.cell_metres"))
        #expect(await spark.end(SIGTERM) == 0)
    }
}
