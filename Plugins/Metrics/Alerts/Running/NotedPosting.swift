import SparkCore
import SparkKit

/// Posts notifications, and notes for the test that steers the server what the receiver accepted.
struct NotedPosting: AlertPosting {
    private let posting: any AlertPosting
    private let address: String
    private let fixture: FixtureHooks

    init(_ posting: any AlertPosting, to address: String, fixture: FixtureHooks) {
        (self.posting, self.address, self.fixture) = (posting, address, fixture)
    }

    func post(_ body: [UInt8]) async throws -> AlertAnswer {
        let answer = try await posting.post(body)
        if (200..<300).contains(answer.status) {
            let content = (try? JSONParser.parse(body)) ?? .null
            fixture.outbox.append(.webhook(to: address, at: fixture.clock.now(), content))
        }
        return answer
    }

    func close() async { await posting.close() }
}
