import Foundation
import SparkAccounts
import SparkChat
import SparkCore
import SparkDemo
import SparkKit
import SparkMatching
import SparkProfiles
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkPush

/// A data directory with people who are matched in pairs; the second of each has a device.
struct PushTown {
    struct Pair: Sendable {
        let writer: UserID
        let reader: UserID
        let conversation: ConversationID
    }

    let pairs: [Pair]

    /// - Parameter target: the device of the reader of a pair.
    static func make(
        _ count: Int, in directory: String, target: @Sendable (Int) -> PushTarget
    ) async throws -> PushTown {
        let modules: [any SparkModule.Type] = [
            AccountsModule.self, ProfilesModule.self, MatchingModule.self, ChatModule.self, StillPushModule.self,
        ]
        return try await fromServer(TestServer.start(modules, directory: directory)) { server in
            // The binary uses the real time.
            server.clock.advance(by: SystemWallClock().now() - TestServer.startOfTime)
            // Some pairs of a town cannot match: they were unmatched before.
            let town = GeneratedTown(count: count * 2 + 400, seed: 1, now: server.clock.now())
            try server.load(town)
            let store = try server.port(StillPushModule.self).module.decider.store
            var pairs: [Pair] = []
            for index in 0..<(town.count / 2) where pairs.count < count {
                let (writer, reader) = (town.id(index * 2), town.id(index * 2 + 1))
                let (a, b) = (try await server.person(whoIs: writer), try await server.person(whoIs: reader))
                try await server.swipe(a, b)
                let answer = try await server.swipe(b, a).json["match"]?["conversation_id"]?.string
                guard let conversation = answer.flatMap({ ConversationID(wire: $0) }) else { continue }
                // Some of a town's people have written to each other already.
                let written: Int? = try server.storage.readNow { session in
                    try session.value("SELECT last_seq FROM chat_conversations WHERE id = ?", conversation)
                }
                guard written == 0 else { continue }
                try await store.register(
                    Device(
                        id: 0, user: reader, session: b.session, name: "phone", target: target(pairs.count), language: .en))
                pairs.append(Pair(writer: writer, reader: reader, conversation: conversation))
            }
            return PushTown(pairs: pairs)
        }
    }
}
