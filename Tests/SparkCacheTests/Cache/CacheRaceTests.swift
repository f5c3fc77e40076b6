import SparkCore
import Synchronization
import Testing

@testable import SparkCache

/// A key of the origin. Its only writer raises `written`, tells the cache, and then raises `announced`. A reader that has seen an
/// announced version must never get an older one afterwards.
private final class OriginCell: Sendable {
    let written = Atomic<UInt64>(0)
    let announced = Atomic<UInt64>(0)
}

/// The state that all tasks of a race share.
private final class Race: Sendable {
    static let keys = 600
    let cells = (0..<keys).map { _ in OriginCell() }
    let cache: Cache
    let items: CacheNamespace<CacheKey, Item>
    let clock: FixtureClock
    private let faults = Count()

    init(_ fixture: CacheFixture) {
        var policy = NamespacePolicy.plain
        policy.lifetime = .seconds(60)
        policy.jitter = 0.5
        policy.isPrefetched = true
        (cache, items) = fixture.open(policy)
        clock = fixture.clock
    }

    func own(_ key: UInt64) -> CacheTag { CacheTag(kind: 2, key) }
    func group(_ key: UInt64) -> CacheTag { CacheTag(kind: 1, key % 30) }

    func item(_ key: UInt64) -> Item {
        let version = cells[Int(key)].written.load(ordering: .sequentiallyConsistent)
        return Item(key, version, size: 40 + Int(SplitMix64.mix(key &+ version &* 977) % (version % 32 == 0 ? 16_000 : 2_000)))
    }

    func announced(_ key: UInt64) -> UInt64 { cells[Int(key)].announced.load(ordering: .sequentiallyConsistent) }

    func check(_ answer: Item?, _ key: UInt64, after announced: UInt64, _ how: String) {
        guard let answer else { return }
        let written = cells[Int(key)].written.load(ordering: .sequentiallyConsistent)
        guard answer.key != key || announced > answer.version || answer.version > written, faults.up() < 20 else { return }
        Issue.record("\(how): key \(key) gave \(answer), announced was \(announced), written \(written)")
    }
}

/// One task of the race: writes its own keys and reads all.
private struct Racer {
    let race: Race
    let number: UInt64
    let racers: UInt64
    var chance: SplitMix64

    private mutating func someKey() -> UInt64 { min(chance.next() % UInt64(Race.keys), chance.next() % UInt64(Race.keys)) }

    mutating func run(_ steps: Int) async throws {
        for _ in 0..<steps { try await step() }
    }

    private mutating func step() async throws {
        let key = someKey()
        let announced = race.announced(key)
        switch chance.next() % 1_000 {
        case 0..<350: race.check(race.items.peek(key), key, after: announced, "peek")
        case 350..<500: race.check((try? await race.items.find(key)) ?? nil, key, after: announced, "find")
        // `find` does not load; a task that shares its load shares its failure.
        case 500..<700: do { try await load(key, after: announced) } catch is NotCached {}
        case 700..<730: do { try await loadSeveral() } catch is NotCached {}
        case 730..<940: write()
        case 940..<960: readAndPut()
        case 960..<964: race.clock.advance(by: .milliseconds(Int64(chance.next() % 300)))
        case 964..<966: race.cache.sweep()
        case 966..<970: await race.cache.drainSpill()
        case 970..<980: race.cache.invalidate([race.group(key)])
        case 980..<990: await race.cache.prefetch(CacheKey(low: key))
        case 990..<999: race.cache.demote(CacheKey(low: key))
        default: if chance.next() % 10 == 0 { await race.cache.erase([race.own(key)]) }
        }
    }

    private mutating func load(_ key: UInt64, after announced: UInt64) async throws {
        let (race, yields) = (race, chance.next() % 4)
        let answer = try await race.items.value(CacheKey(low: key), tags: [race.own(key)]) { dependencies in
            dependencies.depend(on: race.group(key))
            let item = race.item(key)
            // Other tasks write between the read and the store.
            for _ in 0..<yields { await Task.yield() }
            return item
        }
        race.check(answer, key, after: announced, "load")
    }

    private mutating func loadSeveral() async throws {
        let race = race
        let keys = (0..<4).map { _ in someKey() }
        let announced = keys.map { race.announced($0) }
        let answers = try await race.items.values(
            keys.map { CacheKey(low: $0) }, tags: { [race.own($0.low)] },
            load: { missing in
                let items = missing.map { race.item($0.low) }
                await Task.yield()
                return items
            })
        for (place, key) in keys.enumerated() { race.check(answers[place], key, after: announced[place], "load of several") }
    }

    /// Keys of the lower half change by `put` and `remove` alone, keys of the upper half always by an invalidation, even before a put.
    private mutating func write() {
        let key = someKey() / racers * racers + number
        guard key < Race.keys else { return }
        let cell = race.cells[Int(key)]
        let version = cell.written.add(1, ordering: .sequentiallyConsistent).newValue
        let isInvalidated = key >= Race.keys / 2
        if isInvalidated { race.cache.invalidate([race.own(key)]) }
        switch chance.next() % 4 {
        case 0: race.items.put(race.item(key), tags: [race.own(key), race.group(key)])
        case _ where isInvalidated: break
        case 1: race.items.put(race.item(key))
        default: race.items.remove(key)
        }
        cell.announced.store(version, ordering: .sequentiallyConsistent)
    }

    /// Any task may store what it read where every write is followed by an invalidation.
    private mutating func readAndPut() {
        let key = UInt64(Race.keys / 2) + chance.next() % UInt64(Race.keys / 2)
        let dependencies = race.cache.dependencies(on: [race.own(key)])
        race.items.put(CacheKey(low: key), race.item(key), dependencies: dependencies)
    }
}

@Suite("The cache under many threads")
struct CacheRaceTests {
    @Test(
        "the cache never answers with a value older than one announced as written", .timeLimit(.minutes(60)), arguments: [2, 5])
    func race(racers: UInt64) async throws {
        let fixture = CacheFixture(memoryBytes: 520 << 10, diskBytes: 1_200 << 10, isWarm: racers == 5)
        let race = Race(fixture)
        let steps = Scale.of(test: 30_000, soak: racers == 2 ? 10_000_000 : 1_000_000) / Int(racers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<racers {
                group.addTask {
                    var racer = Racer(race: race, number: number, racers: racers, chance: SplitMix64(seed: 70 + number))
                    try await racer.run(steps)
                }
            }
            try await group.waitForAll()
        }
        await race.cache.drainSpill()
        #expect(race.cache.statistics.count("disk", "hit") > steps / 100)
        #expect(race.cache.statistics.memoryBytes <= fixture.configuration.memoryBytes)
        await race.cache.close()
    }
}
