import NIOCore
import SparkCore
import SparkKit
import Synchronization

/// A feed's place among those of its user. Given back when nobody holds the lease any more, and already when the client leaves or the
/// feed is ended from elsewhere, whatever its request is waiting for.
final class FeedLease: Sendable {
    /// How long an answer to somebody whose session ended may take to end by itself; then its connection is cut.
    private static let patience = TimeAmount.seconds(1)

    let feed: EventFeed
    private let entry: FeedPlace
    private let presence: ClientPresence?
    private let number: UInt64?

    /// Enters the hub.
    /// - Parameters:
    ///   - ticket: what the client came in with, if it was a ticket; it is in use until the feed ends.
    ///   - presence: whether the client is there.
    ///   - place: given back at the end.
    init(_ feed: EventFeed, in hub: Hub, ticket: String?, presence: ClientPresence?, place: StreamPlace) {
        let entry = FeedPlace(feed, hub: hub, ticket: ticket, place: place)
        self.feed = feed
        self.entry = entry
        self.presence = presence
        if let ticket { hub.tickets.connected(ticket) }
        hub.join(entry)
        self.number = presence?.whenLeft {
            feed.end(.gone)
            entry.leave()
        }
        entry.cut.withLock { cut in
            cut = { presence?.close(after: Self.patience) { entry.isOver } }
        }
    }

    deinit {
        if let number { presence?.forget(number) }
        entry.leave()
    }
}

/// What the hub keeps of a feed.
final class FeedPlace: Sendable {
    let feed: EventFeed
    /// Closes the connection if the answer does not end soon.
    let cut = Mutex<(@Sendable () -> Void)?>(nil)
    private let hub: Hub
    private let ticket: String?
    let place: StreamPlace
    private let hasLeft = Atomic(false)

    fileprivate init(_ feed: EventFeed, hub: Hub, ticket: String?, place: StreamPlace) {
        self.feed = feed
        self.place = place
        self.hub = hub
        self.ticket = ticket
    }

    /// Whether nothing is sent through it any more.
    var isOver: Bool { hasLeft.load(ordering: .acquiring) }

    /// Ends the feed for a reason that lies here; the place is free when its answer has ended.
    func end(_ ending: EventFeed.Ending) {
        feed.end(ending)
        if case .revoked = ending { cut.withLock { $0 }?() }
    }

    /// Frees the place. Twice is as good as once.
    func leave() {
        guard !hasLeft.exchange(true, ordering: .acquiringAndReleasing) else { return }
        cut.withLock { $0 = nil }
        hub.leave(self)
        place.end()
        if let ticket { hub.tickets.disconnected(ticket) }
    }
}
