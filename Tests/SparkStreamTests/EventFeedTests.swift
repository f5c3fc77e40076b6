import SparkCore
import Testing

@testable import SparkStream

@Suite("Waiting for events without a WebSocket")
struct EventFeedTests {
    private func feed() -> EventFeed {
        EventFeed(
            Principal(user: UserID(rawValue: 1), session: SessionID(rawValue: 2), expiresAt: Timestamp(milliseconds: 1_000)))
    }

    @Test("a wake-up that comes before anybody waits is not lost")
    func early() async {
        let feed = feed()
        feed.wake()
        feed.wake()
        #expect(await feed.wait(atMost: .seconds(600)))
    }

    @Test("a wake-up ends the wait", .timeLimit(.minutes(20)))
    func wakes() async {
        let feed = feed()
        async let isOpen = feed.wait(atMost: .seconds(600))
        feed.wake()
        #expect(await isOpen)
    }

    @Test("the wait ends by itself, and the next one waits again", .timeLimit(.minutes(20)))
    func timesOut() async {
        let feed = feed()
        #expect(await feed.wait(atMost: .milliseconds(1)))
        #expect(await feed.wait(atMost: .milliseconds(1)))
        feed.wake()
        #expect(await feed.wait(atMost: .seconds(600)))
    }

    @Test("current and later waiters learn the end", .timeLimit(.minutes(20)))
    func ends() async {
        let feed = feed()
        async let isOpen = feed.wait(atMost: .seconds(600))
        feed.end(.stopping)
        feed.end(.gone)
        #expect(feed.ending == .stopping, "the first reason counts")
        #expect(await !isOpen)
        #expect(await !feed.wait(atMost: .seconds(600)))
    }

    @Test("a cancelled wait ends", .timeLimit(.minutes(20)))
    func cancelled() async {
        let feed = feed()
        let waiting = Task { await feed.wait(atMost: .seconds(600)) }
        waiting.cancel()
        #expect(await !waiting.value)
    }
}
