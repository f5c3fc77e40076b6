import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@Suite("Chat and kill -9")
struct ChatCrashTests {
    /// Counts acknowledgements and kills the server at the one that is due.
    private final class Executioner: Sendable {
        private struct State {
            var count = 0
            var killAt = Int.max
            var pid: pid_t = 0
        }
        private let state = Mutex(State())

        func aim(at pid: pid_t, after further: Int) { state.withLock { ($0.pid, $0.killAt) = (pid, $0.count + further) } }

        func acknowledged() {
            let pid: pid_t? = state.withLock { state in
                state.count += 1
                guard state.count == state.killAt else { return nil }
                return state.pid
            }
            if let pid { kill(pid, SIGKILL) }
        }
    }

    private struct Pair {
        let people: [Person]
        let conversation: String
        /// Two of each.
        let devices: [[ChatDevice]]
    }

    @Test(
        "killed again and again under load, no acknowledged message is lost, none is shown twice, offsets are dense and unread is right",
        .timeLimit(.minutes(20)))
    func killed() async throws {
        try await withDataDirectory { directory in
            let kills = Scale.of(test: 3, soak: 20)
            let arguments = ["--data", directory, "--set", "http.credentials_per_minute=0", "--set", "http.writes_per_minute=0"]
            let (address, executioner) = (ServerAddress(), Executioner())
            var spark = try await SparkProcess.serve(arguments)
            let pairs = try await makePairs(
                Scale.of(test: 2, soak: 6), messages: kills * Scale.of(test: 30, soak: 60), on: spark, address: address,
                onAcknowledgement: { executioner.acknowledged() })
            var random = SplitMix64(seed: UInt64.random(in: 0 ... .max))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for device in pairs.flatMap({ $0.devices.flatMap { $0 } }) { group.addTask { await device.run() } }
                for _ in 0..<kills {
                    executioner.aim(at: spark.pid, after: Int.random(in: 10...40, using: &random))
                    address.set(spark.url)
                    #expect(await spark.wait() == -SIGKILL)
                    address.set(nil)
                    spark = try await SparkProcess.serve(arguments)
                }
                address.set(spark.url)
                let all = pairs.flatMap { $0.devices.flatMap { $0 } }
                for device in all {
                    try await until("its outbox is empty", every: .milliseconds(20)) {
                        await device.isDone
                    }
                }
                for pair in pairs { try await verify(pair, on: spark) }
                for device in all { await device.stop() }
            }
            #expect(await spark.end(SIGTERM) == 0)
            let check = try await SparkProcess.run(["check", "--data", directory])
            #expect(check.status == 0, "\(check.output)")
        }
    }

    private func makePairs(
        _ count: Int, messages: Int, on spark: SparkProcess, address: ServerAddress,
        onAcknowledgement: @escaping @Sendable () -> Void
    ) async throws -> [Pair] {
        var pairs: [Pair] = []
        for index in 0..<count {
            let pair = try await spark.client.matchedPair("anna\(index)", "ben\(index)")
            let (anna, ben) = (pair.first, pair.second)
            let conversation = pair.conversation.wire
            let devices = [anna, ben].enumerated().map { side, person in
                (0..<2).map { number in
                    ChatDevice(
                        name: "\(index)\(side)\(number)", token: person.client.token ?? "", address: address,
                        conversation: conversation, messages: number == 0 ? messages : 0,
                        seed: UInt64(index * 4 + side * 2 + number),
                        onAcknowledgement: onAcknowledgement)
                }
            }
            pairs.append(Pair(people: [anna, ben], conversation: conversation, devices: devices))
        }
        return pairs
    }

    private func verify(_ pair: Pair, on spark: SparkProcess) async throws {
        let history = try await history(pair, on: spark)
        let places = history.compactMap { $0["seq"]?.integer }
        #expect(places == Array(1...Int64(places.count)), "the numbers of the conversation are dense")
        var acknowledged: [String: Int64] = [:]
        for devices in pair.devices {
            for device in devices { acknowledged.merge(await device.acknowledged) { first, _ in first } }
        }
        let stored = Dictionary(grouping: history) { $0["client_id"]?.string ?? "" }
        #expect(stored.count == history.count, "no message is stored twice")
        for (id, seq) in acknowledged { #expect(stored[id]?.first?["seq"]?.integer == seq, "\(id) was acknowledged as \(seq)") }
        for (person, devices) in zip(pair.people, pair.devices) {
            let client = SparkClient(patient: spark.url, token: person.client.token)
            for device in devices {
                try await until("every message was shown", every: .milliseconds(20)) {
                    await device.shown.count >= places.count
                }
                let faults = await device.faults
                #expect(faults.isEmpty, "\(Set(faults))")
                #expect(await device.shown == Dictionary(uniqueKeysWithValues: places.map { ($0, 1) }))
            }
            try await settle(person, devices, client)
            let lines = try await client.call("GET", "/api/v1/conversations")["items"]?.array ?? []
            let line = try #require(lines.first { $0["id"]?.string == pair.conversation })
            let mark = line["read_seq"]?.integer ?? 0
            let recount = history.count { ($0["seq"]?.integer ?? 0) > mark && $0["from"]?.string != person.id.wire }
            #expect(line["unread"]?.integer == Int64(recount))
            for device in devices {
                await device.askUnread()
                try await until("the unread count came", every: .milliseconds(20)) {
                    await !device.unread.isNull
                }
                #expect(await device.unread["total"]?.integer == Int64(recount))
            }
        }
    }

    /// Waits until the devices get nothing more: their last read marks were sent.
    private func settle(_ person: Person, _ devices: [ChatDevice], _ client: SparkClient) async throws {
        try await until("all events came", every: .milliseconds(20)) {
            let head = try await client.call("GET", "/api/v1/poll")["offset"]?.integer
            var isSettled = true
            for device in devices where await device.offset != head { isSettled = false }
            return isSettled
        }
    }

    private func history(_ pair: Pair, on spark: SparkProcess) async throws -> [JSONValue] {
        let client = SparkClient(patient: spark.url, token: pair.people[0].client.token)
        var (messages, cursor): ([JSONValue], String?) = ([], nil)
        repeat {
            let page = try await client.call(
                "GET", "/api/v1/conversations/\(pair.conversation)/messages?limit=100" + (cursor.map { "&cursor=\($0)" } ?? ""))
            messages += page["items"]?.array ?? []
            cursor = page["next_cursor"]?.string
        } while cursor != nil
        return messages.reversed()
    }
}
