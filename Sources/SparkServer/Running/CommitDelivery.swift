import SparkCache
import SparkCore
import SparkKit
import SparkStorage

/// Delivers the events of a write. Modules' transaction hooks run inside the transaction. Between the commit and its answer, commit
/// hooks run, cache entries are invalidated, and the events are queued for the subscribers.
struct CommitDelivery: CommitObserver {
    /// The hooks for the events of one type, in the order of their registration.
    private struct Hooks: Sendable {
        var inTransaction: [EventHook] = []
        var onCommit: [EventHook] = []
        var invalidations: [EventHook] = []
    }

    private let cache: Cache
    private let events: EventBus
    /// Gets each event for the test that started the server; nil in ordinary servers.
    private let fixture: FixtureHooks?
    private let hooks: [ObjectIdentifier: Hooks]

    init(cache: Cache, events: EventBus, fixture: FixtureHooks? = nil, _ hooks: [EventHook]) {
        self.cache = cache
        self.events = events
        self.fixture = fixture
        self.hooks = hooks.reduce(into: [:]) { all, hook in
            switch hook.action {
            case .inTransaction: all[hook.type, default: Hooks()].inTransaction.append(hook)
            case .onCommit: all[hook.type, default: Hooks()].onCommit.append(hook)
            case .invalidation: all[hook.type, default: Hooks()].invalidations.append(hook)
            case .subscription: break
            }
        }
    }

    func inTransaction(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {
        for hook in hooks[ObjectIdentifier(type(of: event))]?.inTransaction ?? [] {
            if case .inTransaction(let write) = hook.action { try write(event, transaction) }
        }
    }

    /// Announces the invalidations to the cache before the commit: if the process dies right after the commit, the spill must
    /// know them.
    func willCommit(_ consequences: [Consequence]) {
        var all: [CacheTag] = []
        for case .event(let event) in consequences { all += tags(of: event) }
        if !all.isEmpty { cache.announce(all) }
    }

    /// Effects run in their order among the events, so that an entry which a write caches is invalidated again by a later write of
    /// the same commit.
    func didCommit(_ consequences: [Consequence]) {
        var committed: [any SparkEvent] = []
        for consequence in consequences {
            switch consequence {
            case .event(let event):
                fixture?.note(event)
                for hook in hooks[ObjectIdentifier(type(of: event))]?.onCommit ?? [] {
                    if case .onCommit(let update) = hook.action { update(event) }
                }
                cache.invalidate(tags(of: event), isAnnounced: true)
                committed.append(event)
            case .effect(let effect): effect()
            }
        }
        if !committed.isEmpty { events.publish(committed) }
    }

    private func tags(of event: any SparkEvent) -> [CacheTag] {
        var tags: [CacheTag] = []
        for hook in hooks[ObjectIdentifier(type(of: event))]?.invalidations ?? [] {
            if case .invalidation(let tagsOf) = hook.action { tags += tagsOf(event) }
        }
        return tags
    }
}
