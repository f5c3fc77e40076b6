import Crypto
import Foundation
import SparkCore
import Testing

@testable import SparkPush

@Suite struct APNsProviderTests {
    @Test func aPushHasAllThatAppleChecks() async throws {
        let bench = try ProviderBench()
        let fake = try await FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock)
        let table = bench.table(try bench.apnsSettings(fake))
        let outcome = await table[.apns].send(bench.notification(to: bench.apnsTarget()), deadline: .seconds(30))
        #expect(outcome == .accepted)
        #expect(fake.refusals.isEmpty)
        let push = try #require(fake.accepted.first)
        #expect(push.collapseID == "message-con_1")
        #expect(push.payload["aps"]?["alert"]?["body"]?.string == "Hello")
        await table.shutDown()
        await fake.stop()
    }
}
