import SparkCore
import SparkKit

/// Sends a user's events as Server-Sent Events (WHATWG HTML, section 9.2). The event id is the offset, so a reconnecting browser
/// reports its position in `Last-Event-ID`.
actor EventStreamBody {
    private let hub: Hub
    private let feed: EventFeed
    private let reader: StreamReader
    private var replay = ReplayStateMachine()
    private var waiting: [ReplayStateMachine.Action] = []
    private let isOtherEpoch: Bool
    private var hasBegun = false
    private var hasEnded = false

    /// Sent to a browser whose connection was replaced by a newer one. The browser reconnects on its own; a delay of 15 s keeps
    /// too many connections from replacing each other endlessly.
    private static let comeBackLater = "retry: 15000\n\n"
    /// How long the stream is silent before it sends an SSE comment, which keeps the connection open through proxies.
    private static let silence = Duration.seconds(15)

    init(hub: Hub, feed: EventFeed, after offset: Int64?, isOtherEpoch: Bool) {
        self.hub = hub
        self.feed = feed
        self.reader = hub.reader
        self.isOtherEpoch = isOtherEpoch
        _ = replay.hello(after: offset)
    }

    /// The next part of the body; nil at the end.
    /// - Parameter lease: kept alive by the caller.
    func next(keeping lease: FeedLease) async -> [UInt8]? {
        do {
            guard mayGoOn else { return ending() }
            if !hasBegun {
                hasBegun = true
                waiting = replay.opened(try await reader.bounds(of: feed.user), isOtherEpoch: isOtherEpoch)
            }
            while true {
                if let piece = try await piece() { return piece }
                guard await feed.wait(atMost: Self.silence), mayGoOn else { return ending() }
                let before = waiting.count
                waiting += replay.lost()
                if let piece = try await piece() { return piece }
                if waiting.count == before { return Array(": \n\n".utf8) }
            }
        } catch {
            return nil
        }
    }

    private var mayGoOn: Bool { feed.ending == nil && feed.isOpen(at: hub.clock.now()) }

    /// The last part, if there is one, then nil.
    private func ending() -> [UInt8]? {
        guard case .replaced = feed.ending, !hasEnded else { return nil }
        hasEnded = true
        return Array(Self.comeBackLater.utf8)
    }

    /// Runs the pending actions and returns the bytes they produce; nil when they produce none.
    private func piece() async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while !waiting.isEmpty {
            switch waiting.removeFirst() {
            case .welcome(let head):
                let welcome = Welcome(epoch: hub.epoch, offset: head, connection: nil, now: hub.clock.now())
                bytes += line(Frame.bytes("welcome", welcome), id: nil)
            case .resync(let reason): bytes += line(Frame.bytes("resync", Resync(reason: reason)), id: nil)
            case .live(let offset): bytes += line(Frame.bytes("live", Live(offset: offset)), id: offset)
            case .read(let after):
                let page = try await reader.page(of: feed.user, after: after)
                let (isSent, actions) = replay.read(first: page.frames.first?.offset, last: page.frames.last?.offset ?? after)
                if isSent { for (offset, frame) in page.frames { bytes += line(frame, id: offset) } }
                waiting += actions
                if bytes.count > SendBacklog.maximumBytes { return bytes }
            }
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// JSON has no line breaks, so one `data` line is enough. The type is inside the JSON; without an `event:` field one listener
    /// in the browser receives every event.
    private func line(_ frame: [UInt8], id: Int64?) -> [UInt8] {
        Array((id.map { "id: \($0)\n" } ?? "").utf8) + Array("data: ".utf8) + frame + Array("\n\n".utf8)
    }
}
