import SparkCache
import SparkCore
import SparkKit
import SparkStorage

/// What is done with the events of a write: modules join them inside its transaction; between its commit and its answer modules follow
/// them, cache entries become old, and the others are told.
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

    /// Inside the transaction.
    func join(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {
        for joiner in joiners[ObjectIdentifier(type(of: event))] ?? [] { try joiner.join(event, transaction) }
    }

    /// Before the commit: should the process die right after it, the spill must know.
    func announce(_ consequences: [Consequence]) {
        var all: [CacheTag] = []
        for case .event(let event) in consequences { all += tags(of: event) }
        if !all.isEmpty { cache.announce(all) }
    }

    /// After the commit, before its answer. Effects run between the events as they stand, so that what a write files is old again
    /// if a later write of the same commit says so.
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
