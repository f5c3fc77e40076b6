import Foundation
import SparkAccounts
import SparkChat
import SparkCore
import SparkDemo
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
        let server = try await TestServer.start(
            [AccountsModule.self, ProfilesModule.self, MatchingModule.self, ChatModule.self, StillPushModule.self],
            directory: directory)
        // The binary uses the real time.
        server.clock.advance(by: SystemWallClock().now() - TestServer.startOfTime)
        // Some pairs of a town cannot match: they were unmatched before.
        let town = GeneratedTown(count: count * 2 + 400, seed: 1, now: server.clock.now())
        try server.load(town)
        let issuer = try server.port((any TokenIssuing).self)
        let store = try server.port(StillPushModule.self).module.decider.store
        var pairs: [Pair] = []
        for index in 0..<(town.count / 2) where pairs.count < count {
            let (writer, reader) = (town.id(index * 2), town.id(index * 2 + 1))
            guard let conversation = try await match(writer, reader, issuer, on: server) else { continue }
            // Some of a town's people have written to each other already.
            let written: Int? = try server.storage.readNow { session in
                try session.value("SELECT last_seq FROM chat_conversations WHERE id = ?", conversation)
            }
            guard written == 0 else { continue }
            let session = try await server.port((any Authenticating).self).authenticate(
                token: issuer.issueToken(for: reader).token
            ).session
            try await store.register(
                Device(
                    id: 0, user: reader, session: session, name: "phone", target: target(pairs.count), language: .en))
            pairs.append(Pair(writer: writer, reader: reader, conversation: conversation))
        }
        await server.stop()
        return PushTown(pairs: pairs)
    }

    private static func match(
        _ a: UserID, _ b: UserID, _ issuer: any TokenIssuing, on server: TestServer
    ) async throws -> ConversationID? {
        var answer: TestAnswer?
        for (user, target) in [(a, b), (b, a)] {
            answer = try await server.call(
                "POST", "/api/v1/swipes", token: try await issuer.issueToken(for: user).token,
                json: #"{"target_id":"\#(target.wire)","action":"like"}"#)
        }
        return answer?.json["match"]?["conversation_id"]?.string.flatMap { ConversationID(wire: $0) }
    }
}
