import SparkCore
import Synchronization
import Testing

@testable import SparkCache

/// An origin that notes what it is given, and may fail.
private final class BehindOrigin: Sendable {
    struct Refused: Error {}
    private struct State {
        var held: [UInt64: Item] = [:]
        var batches: [Int] = []
        var isFailing = false
    }

    private let state = Mutex(State())
    /// Passed before a batch is taken.
    let door = Door()
    let calls = Count()

    var held: [UInt64: Item] { state.withLock { $0.held } }
    var batches: [Int] { state.withLock { $0.batches } }
    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

    func write(_ items: [(key: CacheKey, value: Item)]) async throws {
        calls.up()
        await door.pass()
        try state.withLock { state in
            state.batches.append(items.count)
            if state.isFailing { throw Refused() }
            for (key, item) in items { state.held[key.low] = item }
        }
    }
}

@Suite("Writing behind")
struct WriteBehindTests {
    private typealias Scene = (scene: CacheScene, cache: Cache, items: CacheNamespace<CacheKey, Item>, origin: BehindOrigin)

    private func open(limit: Int = 10_000, isDoorOpen: Bool = true) async -> Scene {
        var policy = NamespacePolicy.plain
        policy.writing = .behind(flush: .seconds(10), limit: limit)
        let scene = CacheScene(memoryBytes: 1 << 20)
        let (cache, items) = scene.open(policy)
        let origin = BehindOrigin()
        items.writesInto { try await origin.write($0) }
        if isDoorOpen { await origin.door.open() }
        return (scene, cache, items, origin)
    }

    private func write(_ item: Item, to items: CacheNamespace<CacheKey, Item>, tags: [CacheTag] = []) throws {
        try items.writeBehind(CacheKey(low: item.key), item, tags: tags)
    }

    @Test("the origin is given the newest of each key, when the time has come and not before")
    func interval() async throws {
        let (scene, cache, items, origin) = await open()
        for version in 1...3 as ClosedRange<UInt64> {
            for key in 0..<5 as Range<UInt64> { try write(Item(key, version), to: items) }
        }
        scene.clock.advance(by: .milliseconds(9_999))
        cache.sweep()
        #expect(origin.batches.isEmpty)
        scene.clock.advance(by: .milliseconds(1))
        cache.sweep()
        await until { cache.statistics.namespaces[0].unflushed == 0 }
        #expect(origin.batches == [5])
        #expect((0..<5 as Range<UInt64>).allSatisfy { origin.held[$0] == Item($0, 3) })
    }

    @Test("when many wait the origin is given them at once")
    func count() async throws {
        let (_, cache, items, origin) = await open()
        for key in 0..<511 as Range<UInt64> { try write(Item(key), to: items) }
        #expect(origin.batches.isEmpty)
        try write(Item(511), to: items)
        await until { cache.statistics.namespaces[0].unflushed == 0 }
        #expect(origin.held.count == 512)
    }

    @Test("what the origin does not have is read by all, though memory lost it, its tag was invalidated, or it expired")
    func isRead() async throws {
        let (scene, cache, items, origin) = await open()
        let tag = CacheTag(kind: 1, 1)
        for key in 0..<4 as Range<UInt64> { try write(Item(key, 2), to: items, tags: [tag]) }
        cache.invalidate([tag])
        try write(Item(4, 2), to: items)
        await CacheScene.crowdOut(cache, items)
        scene.clock.advance(by: .seconds(3_600))
        #expect(items.peek(0) == Item(0, 2))
        let one = try await items.value(CacheKey(low: 1), tags: []) { _ in Item(1, 1) }
        #expect(one == Item(1, 2))
        let keys = (2..<6 as Range<UInt64>).map { CacheKey(low: $0) }
        let some = try await items.values(keys, tags: { _ in [] }) { keys in keys.map { Item($0.low, 1) } }
        #expect(some == [Item(2, 2), Item(3, 2), Item(4, 2), Item(5, 1)])
        await cache.flush()
        #expect(items.peek(0) == nil)
        #expect(origin.held.count == 5)
    }

    @Test("what is written while the origin is being given an older value is not lost")
    func duringFlush() async throws {
        let (scene, cache, items, origin) = await open(isDoorOpen: false)
        try write(Item(1, 1), to: items)
        scene.clock.advance(by: .seconds(10))
        cache.sweep()
        await until { origin.calls.value == 1 }
        try write(Item(1, 2), to: items)
        try write(Item(2, 1), to: items)
        await origin.door.open()
        await cache.flush()
        #expect(origin.held == [1: Item(1, 2), 2: Item(2, 1)])
        #expect(cache.statistics.namespaces[0].unflushed == 0)
    }

    @Test("an origin that fails is asked again, ever more seldom, and nothing is lost by it")
    func failing() async throws {
        let (scene, cache, items, origin) = await open()
        origin.fail(true)
        try write(Item(1), to: items)
        for failures in 1...4 {
            // 10, 10, 20 and 40 seconds.
            scene.clock.advance(by: .seconds(failures < 3 ? 9 : 10 << (failures - 2) - 1))
            cache.sweep()
            #expect(origin.batches.count == failures - 1)
            scene.clock.advance(by: .seconds(1))
            cache.sweep()
            await until { cache.statistics.namespaces[0].flushFailures == failures }
        }
        await cache.flush()
        #expect(cache.statistics.namespaces[0].unflushed == 1)
        #expect(items.peek(1) == Item(1))
        origin.fail(false)
        await cache.flush()
        #expect(origin.held == [1: Item(1)])
    }

    @Test("when as many keys wait as may, others are refused, and those that wait may still be written")
    func bound() async throws {
        let (_, cache, items, origin) = await open(limit: 3, isDoorOpen: false)
        for key in 0..<3 as Range<UInt64> { try write(Item(key), to: items) }
        #expect(throws: CacheError.overloaded) { try write(Item(3), to: items) }
        #expect(items.peek(3) == nil)
        try write(Item(2, 2), to: items)
        items.remove(0)
        try write(Item(3), to: items)
        await origin.door.open()
        await cache.flush()
        #expect(origin.held[2] == Item(2, 2) && origin.held[3] == Item(3))
    }
}
