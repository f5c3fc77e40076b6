import SparkCore
import SparkKit
import Synchronization

/// A feed's place in the hub. Released when the last reference to the lease goes away, and earlier when the client disconnects or
/// the feed is ended from elsewhere, even while its request is still waiting.
final class FeedLease: Sendable {
    /// How long a response may take to end by itself after its session was revoked. After that the connection is closed. The feed
    /// sends nothing meanwhile; a server whose processors are busy needs the time to answer.
    private static let patience = Duration.seconds(5)

    let feed: EventFeed
    private let entry: FeedPlace
    private let presence: ClientPresence?
    private let number: UInt64?

    /// Joins the hub.
    /// - Parameters:
    ///   - ticket: the ticket that authenticated the client, if any; it counts as in use until the feed ends.
    ///   - presence: reports when the client disconnects.
    ///   - place: the admission place, released at the end.
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

/// The hub's record of a feed.
final class FeedPlace: Sendable {
    let feed: EventFeed
    /// Closes the connection if the response does not end soon.
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

    /// Whether the feed has left the hub and sends nothing more.
    var isOver: Bool { hasLeft.load(ordering: .acquiring) }

    /// Ends the feed for a reason on the server's side. The place is released once the response has ended.
    func end(_ ending: EventFeed.Ending) {
        feed.end(ending)
        if case .revoked = ending { cut.withLock { $0 }?() }
    }

    /// Leaves the hub and releases the place. A second call does nothing.
    func leave() {
        guard !hasLeft.exchange(true, ordering: .acquiringAndReleasing) else { return }
        cut.withLock { $0 = nil }
        hub.leave(self)
        place.end()
        if let ticket { hub.tickets.disconnected(ticket) }
    }
}
