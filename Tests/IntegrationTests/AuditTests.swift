import Foundation
import GRDB
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark audit privacy")
struct PrivacyAuditCommandTests {
    @Test("every answer about a hidden person equals that about a person who does not exist, and a pass reveals nothing")
    func holds() async throws {
        let audit = try await SparkProcess.run(["audit", "privacy", "--json"])
        #expect(audit.status == 0, "\(audit.errors) \(audit.output)")
        let report = try JSONParser.parse(Array(audit.output.utf8))
        let questions = report["questions"]?.array ?? []
        #expect(report["holds"] == true && questions.count > 60 && report["shown"]?.array?.isEmpty == true)
        let absent = try #require(questions.first { $0["class"] == "absent" && $0["question"] == "GET /api/v1/users/{id}" })
        #expect(absent["relations"]?.array?.count == 16)
    }

    @Test("a server that is not there is 69")
    func nowhere() async throws {
        let audit = try await SparkProcess.run(["audit", "privacy", "--server", "http://127.0.0.1:1"])
        #expect(audit.status == 69 && audit.errors.contains("http://127.0.0.1:1"))
    }
}

@Suite("An audit of a running server")
struct AuditGuestTests {
    private func openAccounts(_ directory: String) throws -> Int {
        try DatabaseQueue(path: "\(directory)/spark.db").read {
            try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM accounts_users WHERE closed_at IS NULL") ?? -1
        }
    }

    private static let settings = [
        "--set", "http.credentials_per_minute=0", "--set", "http.reads_per_minute=0", "--set", "http.writes_per_minute=0",
    ]

    @Test(
        "stopped by a daily limit of the server says at once which limits to raise, and deletes its accounts",
        arguments: [["privacy"], ["location", "--size", "smoke"]])
    func limited(_ kind: [String]) async throws {
        try await withDataDirectory { directory in
            try await withSpark(
                ["--data", directory, "--set", "accounts.registrations_per_day=10"] + Self.settings
            ) { spark in
                let audit = try await SparkProcess.run(["audit"] + kind + ["--server", spark.url])
                #expect(audit.status == 69, "\(audit.errors)")
                for word in ["429", "accounts.registrations_per_day=0", "http.credentials_per_minute=0", "deleting the"] {
                    #expect(audit.errors.contains(word), "\(word): \(audit.errors)")
                }
                #expect(try openAccounts(directory) == 0)
            }
        }
    }

    @Test("waits as long as the server asks, and says so")
    func waits() async throws {
        try await withDataDirectory { directory in
            try await withSpark(
                [
                    "--data", directory, "--set", "http.credentials_per_minute=30", "--set", "http.reads_per_minute=0",
                    "--set", "http.writes_per_minute=0", "--set", "accounts.registrations_per_day=4",
                ]) { spark in
                    // Uses up most of the bucket, so that the audit begins with a wait.
                    for _ in 0..<30 { _ = try await spark.client.send("POST", "/api/v1/auth/login", body: Array("{}".utf8)) }
                    let audit = try await SparkProcess.run(["audit", "privacy", "--server", spark.url])
                    #expect(audit.status == 69, "\(audit.errors) \(audit.output)")
                    #expect(
                        audit.errors.contains("waiting ") && audit.errors.contains("30 registrations a minute"), "\(audit.errors)"
                    )
                    #expect(
                        audit.errors.contains("deleting the") && !audit.errors.contains("could not be deleted"), "\(audit.errors)"
                    )
                    #expect(try openAccounts(directory) == 0)
                }
        }
    }

    /// Registers some 200 people, each with a password that takes a second here.
    @Test("deletes the accounts that it made", .enabled(if: ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"))
    func deletes() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory] + Self.settings) { spark in
                let audit = try await SparkProcess.run(["audit", "privacy", "--server", spark.url])
                #expect(audit.status == 0, "\(audit.errors) \(audit.output)")
                #expect(
                    audit.errors.contains("deleting the") && !audit.errors.contains("could not be deleted"), "\(audit.errors)")
                #expect(audit.errors.contains("asking: 0 of"), "\(audit.errors)")
                #expect(try openAccounts(directory) == 0)
            }
        }
    }
}

@Suite("spark audit location")
struct AuditTests {
    @Test("below the floor the exit code is 1, and JSON names the attacks that got there")
    func belowFloor() async throws {
        // Farther than a 1 km cell can hide anybody.
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

    @Test("a server that is not there is 69, an invalid size is a usage error")
    func refusals() async throws {
        let nowhere = try await SparkProcess.run(["audit", "location", "--size", "smoke", "--server", "http://127.0.0.1:1"])
        #expect(nowhere.status == 69 && nowhere.errors.contains("http://127.0.0.1:1"))
        #expect(try await SparkProcess.run(["audit", "location", "--size", "huge"]).status == 64)
    }

    @Test("a running server with larger cells than its auditor believes is not audited")
    func otherGrid() async throws {
        try await withSpark(["--ephemeral", "--set", "profiles.cell_metres=5000"]) { spark in
            let audit = try await SparkProcess.run(["audit", "location", "--size", "smoke", "--server", spark.url])
            #expect(audit.status == 69 && audit.errors.contains("profiles.cell_metres"))
        }
    }
}
