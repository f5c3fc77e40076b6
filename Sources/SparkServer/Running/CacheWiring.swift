import Crypto
import Foundation
import Logging
import SparkCache
import SparkCore
import SparkKit
import SparkStorage

extension Cache {
    /// The cache of a server: spilling into its data directory, sealed with its key if the spill is to outlive it.
    convenience init(_ settings: CacheSettings, options: Server.Options, keys: ServerKeys) {
        var configuration = CacheConfiguration(memoryBytes: settings.memoryBytes)
        if settings.diskBytes > 0, options.directory.isOwner {
            let isWarm = settings.isWarm && !options.isEphemeral
            configuration.spill = CacheConfiguration.SpillSettings(
                directory: options.directory.spill, bytes: settings.diskBytes,
                key: isWarm ? keys.key(for: "spill") : SymmetricKey(size: .bits256), isWarm: isWarm,
                fingerprint: SparkVersion.text)
        }
        self.init(configuration, clock: options.clock, random: options.random, logger: options.logger)
    }
}

/// What is done between a commit and its answer: modules follow its events, cache entries become old, events are told.
struct CommitDelivery: Sendable {
    private let cache: Cache
    private let events: EventBus
    private let invalidations: [ObjectIdentifier: [EventInvalidation]]
    private let followers: [ObjectIdentifier: [EventFollower]]

    init(cache: Cache, events: EventBus, _ invalidations: [EventInvalidation], _ followers: [EventFollower]) {
        self.cache = cache
        self.events = events
        self.invalidations = Dictionary(grouping: invalidations) { $0.type }
        self.followers = Dictionary(grouping: followers) { $0.type }
    }

    private func tags(of event: any SparkEvent) -> [CacheTag] {
        (invalidations[ObjectIdentifier(type(of: event))] ?? []).flatMap { $0.tags(event) }
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
