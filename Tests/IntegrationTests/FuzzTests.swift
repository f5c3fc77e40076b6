import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

/// The combined findings of the clients of one run.
private final class Findings: Sendable {
    private static let kept = 20
    private let state = Mutex<(classes: [Int: Int], faults: [String], codes: Set<String>)>(([:], [], []))

    var classes: [Int: Int] { state.withLock { $0.classes } }
    var faults: [String] { state.withLock { $0.faults } }
    var codes: Set<String> { state.withLock { $0.codes } }

    func count(_ answer: RawAnswer) {
        state.withLock { state in
            state.classes[answer.status / 100, default: 0] += 1
            if answer.status >= 400 { state.codes.insert(answer.code) }
        }
    }

    func report(_ fault: String, _ operation: DescribedAPI.Operation, _ bytes: [UInt8], _ answer: RawAnswer?) {
        let sent = String(decoding: bytes.prefix(3_000), as: UTF8.self)
        let got = answer.map { "\($0.status) \($0.headers)\n\($0.text.prefix(1_000))" } ?? "nothing"
        state.withLock { state in
            if state.faults.count < Self.kept { state.faults.append("\(fault) at \(operation.name)\n\(sent)\n--> \(got)") }
        }
    }
}

/// One client of the fuzzer: a person, a connection, requests one after another.
private struct FuzzClient {
    let url: String
    let api: DescribedAPI
    let findings: Findings
    var fuzzer: RequestFuzzer
    private var token = ""
    private var refusals = 0

    init(_ url: String, _ api: DescribedAPI, _ findings: Findings, seed: UInt64) {
        (self.url, self.api, self.findings) = (url, api, findings)
        self.fuzzer = RequestFuzzer(api, seed: seed)
    }

    /// - Parameters:
    ///   - people: identifiers that exist.
    ///   - tokens: the callers; the next one is used when a session has ended.
    mutating func run(_ requests: Int, people: [String], tokens: [String]) throws {
        for person in people { fuzzer.remember(person, as: "usr") }
        var tokens = tokens
        var connection = try RawConnection(url)
        for _ in 0..<requests {
            if refusals > 6 || token.isEmpty {
                if let next = tokens.popLast() { become(next) } else { try register(connection) }
            }
            let (operation, request) = fuzzer.request(token: token)
            if fuzzer.chance(2) {
                try sendGarbled(request.bytes, operation)
                continue
            }
            let bytes = request.bytes
            connection.send(bytes)
            let answer = try connection.answer()
            judge(answer, operation, bytes)
            if answer == nil || answer?.headers["connection"] == "close" { connection = try RawConnection(url) }
        }
    }

    private mutating func become(_ token: String) {
        self.token = token
        refusals = 0
        fuzzer.remember(token, as: "token")
    }

    /// Becomes somebody new.
    private mutating func register(_ connection: RawConnection) throws {
        let email = "fuzz-\(UUID().uuidString.lowercased())@example.org"
        let json = #"""
            {"email":"\#(email)","password":"correct horse battery","name":"Fuzz","birth_date":"1990-01-01",
            "gender":"woman","interested_in":["woman","man"]}
            """#
        for _ in 0..<100 {
            connection.send(RawRequest.plain("POST", "/api/v1/auth/register", json: json).bytes)
            guard let answer = try connection.answer() else { throw RawFailure(reason: "closed while registering") }
            guard answer.status == 201 else { continue }
            become(answer.json["access_token"]?.string ?? "")
            fuzzer.learn(from: answer.json)
            fuzzer.remember(email, as: "email")
            fuzzer.remember("correct horse battery", as: "password")
            let place = #"{"latitude":48.85,"longitude":2.35}"#
            connection.send(RawRequest.plain("PUT", "/api/v1/me/location", token: token, json: place).bytes)
            _ = try connection.answer()
            return
        }
        throw RawFailure(reason: "nobody can register")
    }

    /// Broken HTTP gets a connection of its own, because what follows it is not looked at.
    private mutating func sendGarbled(_ bytes: [UInt8], _ operation: DescribedAPI.Operation) throws {
        let (connection, garbled) = (try RawConnection(url), fuzzer.garbled(bytes))
        connection.send(garbled)
        connection.finishSending()
        // A garbled GET may have become HEAD's like; only the status counts.
        guard let answer = try? connection.answer() else { return }
        findings.count(answer)
        if answer.status >= 500 { findings.report("status", operation, garbled, answer) }
    }

    private mutating func judge(_ answer: RawAnswer?, _ operation: DescribedAPI.Operation, _ bytes: [UInt8]) {
        guard let answer else { return findings.report("no answer", operation, bytes, nil) }
        findings.count(answer)
        refusals = answer.code == "auth.unauthenticated" ? refusals + 1 : answer.status < 400 ? 0 : refusals
        if let fault = fault(of: answer, operation) { findings.report(fault, operation, bytes, answer) }
        if answer.status < 300 { fuzzer.learn(from: answer.json) }
    }

    private func fault(of answer: RawAnswer, _ operation: DescribedAPI.Operation) -> String? {
        guard answer.status < 500 else { return "status" }
        if let fault = CachingTests.fault(answer) { return fault }
        if answer.status >= 400 {
            guard answer.headers["content-type"] == "application/problem+json" else { return "no problem document" }
            if answer.headers["content-encoding"] != nil { return nil }
            return api.fault(of: answer.json, against: ["$ref": "#/components/schemas/Problem"])
                ?? (answer.json["status"]?.integer == Int64(answer.status) ? nil : "another status within")
        }
        guard let described = operation.answers[answer.status] else { return "undocumented status" }
        guard let schema = described else { return answer.body.isEmpty ? nil : "a body that is not described" }
        if answer.headers["content-encoding"] != nil { return nil }
        return api.fault(of: answer.json, against: schema).map { "not as described (\($0))" }
    }
}

@Suite("Fuzzing")
struct FuzzTests {
    private static let clients = 16

    @Test("whatever the request, no answer is a 5xx, each is as described, and the database stays sound")
    func everything() async throws {
        let given = ProcessInfo.processInfo.environment["SPARK_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? SystemRandomSource().next() >> 16
        print("fuzz seed \(seed) (SPARK_FUZZ_SEED=\(seed) repeats it)")
        try await withDataDirectory { directory in
            let people = Scale.of(test: 400, soak: 6_000)
            #expect(try await SparkProcess.run(["seed", "--people", "\(people)", "--data", directory]).status == 0)
            let lifted = ["credentials", "reads", "writes"].flatMap { ["--set", "http.\($0)_per_minute=0"] }
            // Each client may be in the middle of an export.
            let roomy = ["--set", "limits.exports=64"]
            let spark = try await SparkProcess.serve(["--data", directory] + lifted + roomy)
            let api = DescribedAPI(try await spark.client.call("GET", "/openapi.json"))
            try #require(api.operations.count >= 20)
            let tokens = try await tokens(people, directory)
            let seen = try await identifiers(of: tokens.prefix(40), spark)
            let (findings, url) = (Findings(), spark.url)
            let requests = Scale.of(test: 3_000, soak: 200_000)
            let time = try await ContinuousClock().measure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<Self.clients {
                        let seed = SplitMix64.mix(seed &+ UInt64(number))
                        group.addTask {
                            try await onOwnThread {
                                var client = FuzzClient(url, api, findings, seed: seed)
                                let own = stride(from: number, to: tokens.count, by: Self.clients).map { tokens[$0] }
                                try client.run(requests / Self.clients, people: seen, tokens: own)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let rate = Int(
                Double(requests) / max(0.001, Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18))
            let classes = findings.classes.sorted { $0.key < $1.key }.map { "\($0.key)xx: \($0.value)" }.joined(separator: ", ")
            print("fuzz seed \(seed): \(requests) requests, \(rate)/s; \(classes); codes: \(findings.codes.sorted())")
            #expect(findings.faults.isEmpty, "seed \(seed)\n\(findings.faults.joined(separator: "\n\n"))")
            // Fuzzing that never passes authentication would prove nothing.
            #expect(findings.classes[2, default: 0] > requests / 8)
            #expect(findings.codes.count >= 10)
            #expect(kill(spark.pid, 0) == 0, "seed \(seed)")
            #expect(try await spark.client.call("GET", "/readyz")["status"] == "ok")
            #expect(await spark.end(SIGTERM) == 0)
            let lines = spark.log.split(separator: "\n").filter { $0.contains(" error ") || $0.contains(" critical ") }
            #expect(lines.isEmpty, "seed \(seed): \(lines.prefix(5))")
            let check = try await SparkProcess.run(["check", "--data", directory])
            #expect(check.status == 0, "seed \(seed): \(check.output)")
        }
    }

    /// One access token for each demo person.
    private func tokens(_ people: Int, _ directory: String) async throws -> [String] {
        let emails = (1...people).map { "person\($0)@demo.invalid" }
        let answer = try await SparkProcess.run(["token", "--data", directory] + emails)
        let tokens = answer.output.split(separator: "\n").map(String.init)
        try #require(tokens.count == people, "\(answer.errors)")
        return tokens
    }

    private func identifiers(of tokens: some Sequence<String>, _ spark: SparkProcess) async throws -> [String] {
        var all: [String] = []
        for token in tokens {
            all.append(try await spark.client.authenticated(with: token).call("GET", "/api/v1/me")["id"]?.string ?? "")
        }
        return all
    }
}
