import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

/// The names that the server acknowledged, by person.
private final class Ledger: Sendable {
    private let entries = Mutex<(names: [String: String], count: Int)>(([:], 0))

    var names: [String: String] { entries.withLock { $0.names } }
    /// Acknowledgements so far.
    var count: Int { entries.withLock { $0.count } }

    func enter(_ token: String, _ name: String) -> Int {
        entries.withLock { entries in
            entries.names[token] = name
            entries.count += 1
            return entries.count
        }
    }
}

@Suite("Durability")
struct DurabilityTests {
    @Test("acknowledged writes survive kill -9 in the middle of many writes, and the database is sound")
    func killed() async throws {
        try await withDataDirectory { directory in
            let settings = ["--data", directory, "--set", "http.writes_per_minute=0", "--set", "http.credentials_per_minute=0"]
            let people = Scale.of(test: 120, soak: 2_000)
            #expect(
                try await SparkProcess.run(["seed", "--people", "\(people)", "--data", directory]).status == 0)
            let acknowledged = Ledger()
            for round in 0..<Scale.of(test: 2, soak: 20) {
                let spark = try await SparkProcess.serve(settings)
                let tokens = try await tokens(people, directory: directory)
                try await write(round: round, tokens: tokens, spark: spark, acknowledged: acknowledged)
                _ = await spark.wait()
                try await verify(acknowledged.names, tokens: tokens, settings: settings)
                let check = try await SparkProcess.run(["check", "--data", directory])
                #expect(check.status == 0, "\(check.output)")
            }
        }
    }

    /// All people rename themselves at once; the server is killed when a part is acknowledged.
    private func write(
        round: Int, tokens: [String], spark: SparkProcess, acknowledged: Ledger
    ) async throws {
        let before = acknowledged.count
        let killAfter = tokens.count * (round % 5 + 1) / 8
        await withTaskGroup(of: Void.self) { group in
            for token in tokens {
                group.addTask {
                    let name = "r\(round)-\(UUID().uuidString.prefix(8))"
                    // The client tries a dead server again until its time is over.
                    let client = SparkClient(url: spark.url, token: token, timeout: .seconds(Scale.of(test: 5, soak: 15)))
                    let answer = try? await client.send("PATCH", "/api/v1/me", json: ["name": .string(name)] as JSONValue)
                    guard answer?.status == 200 else { return }
                    if acknowledged.enter(token, name) - before == killAfter { kill(spark.pid, SIGKILL) }
                }
            }
        }
        // If a slow machine acknowledged fewer, the server still runs, and nobody may wait for its end.
        kill(spark.pid, SIGKILL)
        #expect(acknowledged.count - before >= killAfter)
    }

    /// A name that was acknowledged is there, or a later one of the same round whose answer was lost.
    private func verify(_ acknowledged: [String: String], tokens: [String], settings: [String]) async throws {
        try await withSpark(settings) { spark in
            for (token, name) in acknowledged {
                let me = try await SparkClient(patient: spark.url, token: token).call("GET", "/api/v1/me")
                let found = me["name"]?.string ?? ""
                let (was, now) = (name.prefix { $0 != "-" }, found.prefix { $0 != "-" })
                #expect(found == name || Int(now.dropFirst()) ?? -1 > Int(was.dropFirst()) ?? 0, "\(name) became \(found)")
            }
        }
    }

    private func tokens(_ people: Int, directory: String) async throws -> [String] {
        let emails = (1...people).map { "person\($0)@demo.invalid" }
        let answer = try await SparkProcess.run(["token", "--data", directory] + emails)
        #expect(answer.status == 0, "\(answer.errors)")
        return answer.output.split(separator: "\n").map(String.init)
    }
}
