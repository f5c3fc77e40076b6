import SparkCache
import SparkCore
import SparkKit
import SparkStorage

/// Delivers the events of a write. Modules' transaction hooks run inside the transaction. Between the commit and its answer, commit
/// hooks run, cache entries are invalidated, and the events are queued for the subscribers.
struct CommitDelivery: Sendable {
    private let cache: Cache
    private let events: EventBus
    private let invalidations: [ObjectIdentifier: [EventInvalidation]]
    private let followers: [ObjectIdentifier: [CommitHook]]
    private let joiners: [ObjectIdentifier: [TransactionHook]]

    init(
        cache: Cache, events: EventBus, _ invalidations: [EventInvalidation], _ followers: [CommitHook],
        _ joiners: [TransactionHook]
    ) {
        self.cache = cache
        self.events = events
        self.invalidations = Dictionary(grouping: invalidations) { $0.type }
        self.followers = Dictionary(grouping: followers) { $0.type }
        self.joiners = Dictionary(grouping: joiners) { $0.type }
    }

    private func tags(of event: any SparkEvent) -> [CacheTag] {
        (invalidations[ObjectIdentifier(type(of: event))] ?? []).flatMap { $0.tags(event) }
    }

    /// Runs the joiners of an event, inside the transaction.
    func join(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {
        for joiner in joiners[ObjectIdentifier(type(of: event))] ?? [] { try joiner.join(event, transaction) }
    }

    /// Announces the invalidations to the cache before the commit: if the process dies right after the commit, the spill must
    /// know them.
    func announce(_ consequences: [Consequence]) {
        var all: [CacheTag] = []
        for case .event(let event) in consequences { all += tags(of: event) }
        if !all.isEmpty { cache.announce(all) }
    }

    /// Called after the commit, before its answer. Effects run in their order among the events, so that an entry which a write
    /// caches is invalidated again by a later write of the same commit.
    func deliver(_ consequences: [Consequence]) {
        var told: [any SparkEvent] = []
        for consequence in consequences {
            switch consequence {
            case .event(let event):
                for follower in followers[ObjectIdentifier(type(of: event))] ?? [] { follower.follow(event) }
                cache.invalidate(tags(of: event), isAnnounced: true)
                told.append(event)
            case .effect(let effect): effect()
            }
        }
        if !told.isEmpty { events.publish(told) }
    }
}
