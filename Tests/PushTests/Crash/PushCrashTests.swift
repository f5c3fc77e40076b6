import Crypto
import Foundation
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkPush

/// The binary, killed again and again, between people who write and a provider that hangs, resets, goes away and says 429.
@Suite("Push and kill -9")
struct PushCrashTests {
    /// The server's address; nil while it is down.
    private final class Address: Sendable {
        private let url = Mutex<String?>(nil)
        private let count = Atomic(0)
        var value: String? { url.withLock { $0 } }
        func set(_ new: String?) { url.withLock { $0 = new } }
        /// Messages that were acknowledged so far.
        var written: Int { count.load(ordering: .relaxed) }
        func wrote() { count.add(1, ordering: .relaxed) }
    }

    @Test(
        "the last push of a conversation covers every unread message, and no message is pushed twice under two identifiers",
        .timeLimit(.minutes(30)))
    func killed() async throws {
        try await withDataDirectory { directory in
            let (kills, pairCount) = (Scale.of(test: 3, soak: 10), Scale.of(test: 24, soak: 2_000))
            let messages = Scale.of(test: 12, soak: 50)
            let bench = try ProviderBench()
            let random = Mutex(SplitMix64(seed: UInt64.random(in: 0 ... .max)))
            let script: FakeScript = { _, _ in
                switch random.withLock({ $0.next() % 200 }) {
                case 0, 1: .hang
                case 2, 3: .reset
                case 4...6: .answer(429, body: #"{"reason":"TooManyRequests"}"#)
                case 7, 8: .answer(500, body: #"{"reason":"InternalServerError"}"#)
                case 9: .goAway("Shutdown")
                default: nil
                }
            }
            try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: SystemWallClock(), script: script)) { fake in
                let town = try await PushTown.make(pairCount, in: directory) { index in
                    PushTarget(
                        service: .apns, token: Self.token(index), registeredAt: Timestamp(milliseconds: 1_772_366_400_000))
                }
                try #require(town.pairs.count == pairCount)
                var arguments = [
                    "--data", directory, "--set", "http.writes_per_minute=0", "--set", "push.batch_milliseconds=300",
                ]
                arguments += ["--set", "push.daily_cap=10000", "--set", "chat.new_conversations_per_day=0"]
                for (key, value) in try bench.apnsSettings(fake) {
                    if case .text(let text) = value { arguments += ["--set", "push.\(key)=\(text)"] }
                }
                arguments += ["--set", "push.trusted_roots_file=\(bench.roots)"]
                let accessTokens = try await self.tokens(of: town, directory)
                let address = Address()
                var spark = try await SparkProcess.serve(arguments)
                address.set(spark.url)
                let started = ContinuousClock.now
                try await withThrowingTaskGroup(of: Void.self) { group in
                    let workers = Scale.of(test: 4, soak: 16)
                    for worker in 0..<workers {
                        let mine = town.pairs.indices.filter { $0 % workers == worker }
                        group.addTask {
                            for message in 0..<messages {
                                for index in mine {
                                    try await Self.write(message, town.pairs[index], accessTokens[index], address)
                                }
                            }
                        }
                    }
                    for kill in 0..<kills {
                        let goal = pairCount * messages * (kill + 1) / (kills + 1)
                        try await until("messages were written", every: .milliseconds(100)) {
                            address.written >= goal
                        }
                        let taken = fake.accepted.count
                        try await until("a push was accepted", every: .milliseconds(100)) {
                            fake.accepted.count > taken || address.written == pairCount * messages
                        }
                        address.set(nil)
                        #expect(await spark.end(SIGKILL) == -SIGKILL)
                        spark = try await SparkProcess.serve(arguments)
                        address.set(spark.url)
                    }
                    try await group.waitForAll()
                }
                try await until("the outbox is empty", every: .milliseconds(100)) {
                    let outbox = try await SparkProcess.run(["push", "outbox", "--limit", "0", "--data", directory])
                    let json = try JSONParser.parse(Array(outbox.output.utf8))
                    return json["gathering"]?.integer == 0 && json["deliveries"]?.integer == 0 && json["held"]?.integer == 0
                }
                let seconds = (ContinuousClock.now - started).inSeconds
                #expect(await spark.end(SIGTERM) == 0)
                verify(fake, town, messages: messages)
                #expect(try await SparkProcess.run(["check", "--data", directory]).status == 0)
                print(
                    "push and kill -9: \(pairCount * messages) messages, \(kills) kills, \(fake.accepted.count) pushes taken, "
                        + "\(fake.server.connections) connections, \(Int(seconds)) s")
            }
        }
    }

    private static func token(_ index: Int) -> String {
        let digits = String(index, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    private func tokens(of town: PushTown, _ directory: String) async throws -> [String] {
        let result = try await SparkProcess.run(["token", "--data", directory] + town.pairs.map(\.writer.wire))
        let tokens = result.output.split(separator: "\n").map(String.init)
        try #require(tokens.count == town.pairs.count, "\(result.errors)")
        return tokens
    }

    /// Resends under the same identifier until it is acknowledged.
    private static func write(_ number: Int, _ pair: PushTown.Pair, _ token: String, _ address: Address) async throws {
        while true {
            guard let url = address.value else {
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            let client = SparkClient(patient: url, token: token)
            let answer = try? await client.send(
                "POST", "/api/v1/conversations/\(pair.conversation.wire)/messages",
                json: ["client_id": .string("m\(number)"), "text": .string("Number \(number)")] as JSONValue)
            if let answer, answer.status == 201 {
                address.wrote()
                // So that messages gather in several pushes.
                if !Scale.isSoak { try await Task.sleep(for: .milliseconds(20)) }
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func verify(_ fake: FakeAPNs, _ town: PushTown, messages: Int) {
        let byDevice = Dictionary(grouping: fake.accepted, by: \.token)
        let expected = messages == 1 ? "New message" : "\(messages) new messages"
        var wrong = 0
        var doubled = 0
        for index in town.pairs.indices {
            let pushes = byDevice[Self.token(index)] ?? []
            let bodies = pushes.map { $0.payload["aps"]?["alert"]?["body"]?.string ?? "" }
            if bodies.last != expected {
                wrong += 1
                let tail = pushes.suffix(4).map {
                    "\($0.id.prefix(4)) on \($0.connection): \($0.payload["aps"]?["alert"]?["body"]?.string ?? "")"
                }
                print("push and kill -9: a device saw last \(tail)")
            }
            var identifiers: [String: Set<String>] = [:]
            for (push, body) in zip(pushes, bodies) { identifiers[body, default: []].insert(push.id) }
            if identifiers.values.contains(where: { $0.count > 1 }) { doubled += 1 }
            if Set(pushes.map(\.collapseID)).count > 1 { doubled += 1 }
        }
        #expect(wrong == 0, "devices whose last push does not cover all messages")
        #expect(doubled == 0, "devices that got the same push twice under two identifiers")
        #expect(fake.refusals.isEmpty, "\(Set(fake.refusals))")
        #expect(fake.violations.isEmpty, "\(Set(fake.violations))")
    }
}
