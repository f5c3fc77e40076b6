import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkCache

/// The allowed answers of a cache: nothing, or the newest value that was put or loaded and not invalidated.
private struct CacheModel {
    enum Known: Equatable {
        case item(version: UInt64, since: Int64)
        case absent(since: Int64)
    }

    static let lifetime: Int64 = 60_000
    static let negativeLifetime: Int64 = 20_000

    /// The newest version of each key at the origin.
    var origin: [UInt64: UInt64] = [:]
    var known: [UInt64: Known] = [:]

    func isAllowed(_ answer: Item?, _ key: UInt64, now: Int64) -> Bool {
        switch (known[key], answer) {
        case (.item(let version, let since)?, let item?):
            item.key == key && item.version == version && now < since + Self.lifetime
        case (.absent(let since)?, nil): now < since + Self.negativeLifetime
        default: false
        }
    }
}

/// Random operations on a cache so small that it evicts, spills and reclaims all the time.
private final class ModelRun {
    let fixture: CacheFixture
    var (cache, items): (Cache, CacheNamespace<CacheKey, Item>)
    var model = CacheModel()
    var chance: SplitMix64
    var versions: UInt64 = 0
    var (answers, restarts, diskHits) = (0, 0, 0)
    static let keys: UInt64 = 700
    static let groups: UInt64 = 40

    init(seed: UInt64, isWarm: Bool) {
        chance = SplitMix64(seed: seed)
        fixture = CacheFixture(memoryBytes: 520 << 10, diskBytes: 1_200 << 10, isWarm: isWarm)
        (cache, items) = fixture.open(Self.policy)
    }

    private static var policy: NamespacePolicy {
        var policy = NamespacePolicy.plain
        policy.lifetime = .milliseconds(CacheModel.lifetime)
        policy.negativeLifetime = .milliseconds(CacheModel.negativeLifetime)
        policy.jitter = 0.5
        policy.isPrefetched = true
        return policy
    }

    private var now: Int64 { fixture.clock.now().milliseconds }
    private func group(_ key: UInt64) -> CacheTag { CacheTag(kind: 1, key % Self.groups) }
    private func own(_ key: UInt64) -> CacheTag { CacheTag(kind: 2, key) }
    private func someKey() -> UInt64 { min(chance.next() % Self.keys, chance.next() % Self.keys) }

    private func item(_ key: UInt64, _ version: UInt64) -> Item {
        let size = 40 + Int(SplitMix64.mix(version) % (version % 16 == 0 ? 20_000 : 2_500))
        return Item(key, version, size: size)
    }

    private func write(_ key: UInt64) -> UInt64 {
        versions += 1
        model.origin[key] = versions
        return versions
    }

    private func check(_ answer: Item?, _ key: UInt64, _ how: String, step: Int) {
        answers += 1
        guard !model.isAllowed(answer, key, now: now) else { return }
        Issue.record(
            "step \(step), \(how): key \(key) gave \(String(describing: answer)) for \(String(describing: model.known[key]))")
    }

    func run(_ steps: Int) async throws {
        for step in 0..<steps { try await self.step(step) }
        await cache.close()
    }

    private func step(_ step: Int) async throws {
        let key = someKey()
        switch chance.next() % 1_000 {
        case 0..<250:
            if let item = items.peek(key) { check(item, key, "peek", step: step) }
        case 250..<450:
            do { check(try await items.find(key), key, "find", step: step) } catch is NotCached {}
        case 450..<690: try await load(key, step: step)
        case 690..<720: try await loadSeveral(step: step)
        case 720..<820:
            let version = write(key)
            items.put(CacheKey(low: key), item(key, version), tags: [own(key), group(key)])
            model.known[key] = .item(version: version, since: now)
        case 820..<860:
            items.remove(key)
            model.known[key] = nil
        case 860..<900:
            _ = write(key)
            cache.invalidate([own(key)])
            forget { $0 == key }
        case 900..<915:
            let group = key % Self.groups
            cache.invalidate([CacheTag(kind: 1, group)])
            forget { $0 % Self.groups == group }
        case 915..<925:
            model.origin[key] = nil
            items.remove(key)
            model.known[key] = nil
        case 925..<950: fixture.clock.advance(by: .milliseconds(Int64(chance.next() % 2_000)))
        case 950..<965: await cache.drainSpill()
        case 965..<975: cache.sweep()
        case 975..<985: await cache.prefetch(CacheKey(low: key))
        case 985..<995: cache.demote(CacheKey(low: key))
        case 995..<996:
            await cache.erase([own(key)])
            forget { $0 == key }
        default:
            if chance.next() % 10 == 0 { try await restart() }
        }
        if step % 8 == 0, cache.statistics.memoryBytes > fixture.configuration.memoryBytes {
            Issue.record("step \(step): over the budget")
        }
    }

    private func forget(where isConcerned: (UInt64) -> Bool) {
        for key in model.known.keys where isConcerned(key) { model.known[key] = nil }
    }

    private func load(_ key: UInt64, step: Int) async throws {
        let (version, isLoaded) = (model.origin[key], Count())
        let item: Item? = version.map { self.item(key, $0) }
        let (tag, group) = (own(key), group(key))
        let load: @Sendable (Dependencies) async throws -> Item? = { dependencies in
            isLoaded.up()
            dependencies.depend(on: group)
            return item
        }
        let answer = try await items.value(CacheKey(low: key), tags: [tag], load: load)
        if isLoaded.value > 0 { note(version, key) }
        check(answer, key, "load", step: step)
    }

    private func loadSeveral(step: Int) async throws {
        let keys = Array(Set((0..<5).map { _ in someKey() })).sorted()
        var values: [UInt64: Item] = [:]
        for key in keys { values[key] = model.origin[key].map { item(key, $0) } }
        let found = values
        let loaded = Mutex<[UInt64]>([])
        let answers = try await items.values(
            keys.map { CacheKey(low: $0) }, tags: { key in [self.own(key.low), self.group(key.low)] },
            load: { missing in
                loaded.withLock { $0 += missing.map(\.low) }
                return missing.map { found[$0.low] }
            })
        for key in loaded.withLock({ $0 }) { note(model.origin[key], key) }
        for (key, answer) in zip(keys, answers) { check(answer, key, "load of several", step: step) }
    }

    private func note(_ version: UInt64?, _ key: UInt64) {
        model.known[key] = version.map { .item(version: $0, since: now) } ?? .absent(since: now)
    }

    /// A clean stop or a kill, and another start in the same directory.
    private func restart() async throws {
        restarts += 1
        diskHits += cache.statistics.count("disk", "hit")
        let isClean = chance.next() % 2 == 0
        if isClean {
            await cache.close()
        } else {
            await cache.drainSpill()
            // A killed process, too, no longer uses its files.
            cache.engine.detach()
        }
        (cache, items) = fixture.open(Self.policy)
        if chance.next() % 2 == 0, fixture.configuration.spill?.isWarm == true {
            let cache = cache
            try await until { cache.statistics.recovered != nil }
        }
    }
}

@Suite("The cache compared with a dictionary")
struct CacheModelTests {
    @Test(
        "the cache never returns a wrong, replaced, invalidated, removed or expired value",
        .timeLimit(.minutes(60)), arguments: [false, true])
    func model(isWarm: Bool) async throws {
        let run = ModelRun(seed: isWarm ? 61 : 62, isWarm: isWarm)
        let steps = Scale.of(test: 20_000, soak: 2_000_000)
        try await run.run(steps)
        #expect(run.answers > steps / 4)
        #expect(run.diskHits > steps / 40)
        #expect(run.restarts > 3)
    }
}
