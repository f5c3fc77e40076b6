import Crypto
import Foundation
import Logging
import SparkCore
import Synchronization
import Testing

@testable import SparkCache

/// A cache with a clock of its own and a directory to spill to, which can be closed, killed and opened again.
final class CacheScene {
    let clock = SceneClock()
    var directory: URL { clock.directory }
    let files = FaultyFiles()
    var configuration: CacheConfiguration

    init(memoryBytes: Int = 1 << 20, diskBytes: Int? = nil, isWarm: Bool = false) {
        configuration = CacheConfiguration(memoryBytes: memoryBytes)
        guard let diskBytes else { return }
        configuration.spill = CacheConfiguration.SpillSettings(
            directory: directory, bytes: diskBytes, key: SymmetricKey(data: [UInt8](repeating: 3, count: 32)), isWarm: isWarm,
            fingerprint: "one")
        configuration.spill?.files = files
    }

    /// A cache with one namespace, opened.
    func open(_ policy: NamespacePolicy = .plain) -> (cache: Cache, items: CacheNamespace<CacheKey, Item>) {
        let cache = make()
        let items = cache.namespace(policy, key: CacheKey.self, value: Item.self)
        cache.open()
        return (cache, items)
    }

    /// A cache that is not open yet.
    func make() -> Cache {
        Cache(
            configuration, clock: clock, random: SeededRandomSource(seed: 5),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// A clock that moves when it is told to, and a directory that goes when nobody asks the clock any more.
final class SceneClock: WallClock {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("cache-\(UUID().uuidString)")
    private let clock = ManualClock(Timestamp(milliseconds: 1_770_000_000_000))

    deinit { try? FileManager.default.removeItem(at: directory) }

    func now() -> Timestamp { clock.now() }
    func advance(by duration: Duration) { clock.advance(by: duration) }
}

extension NamespacePolicy {
    /// An hour to the millisecond, no grace.
    static var plain: NamespacePolicy {
        var policy = NamespacePolicy("items", lifetime: .seconds(3_600))
        policy.jitter = 0
        return policy
    }
}

/// A value that says whose it is, which version, and whether it is whole.
struct Item: CacheValue, Equatable {
    let key: UInt64
    let version: UInt64
    /// Bytes that it takes.
    let size: Int

    init(_ key: UInt64, _ version: UInt64 = 1, size: Int = 100) {
        (self.key, self.version, self.size) = (key, version, size)
    }

    var cacheCost: Int { size }

    func encode(into bytes: inout [UInt8]) {
        for word in [key, version, UInt64(size)] { bytes.appendLittleEndian(word) }
        bytes.append(contentsOf: repeatElement(filling, count: max(0, size - 24)))
    }

    /// Of key and version, so that a mixture of two values is none.
    private var filling: UInt8 { UInt8(truncatingIfNeeded: SplitMix64.mix(key &* 31 &+ version)) }

    static func decode(_ bytes: [UInt8]) -> Item? {
        let words = bytes.withUnsafeBytes { raw -> [UInt64] in
            var reader = SpillBytesReader(raw)
            return (0..<3).compactMap { _ in reader.next(UInt64.self) }
        }
        guard words.count == 3 else { return nil }
        let item = Item(words[0], words[1], size: Int(truncatingIfNeeded: words[2]))
        var expected: [UInt8] = []
        item.encode(into: &expected)
        return expected == bytes ? item : Item(.max, .max)
    }
}

/// There was no such entry in either tier: what a load throws that must not be.
struct Missed: Error {}

extension CacheNamespace where Key == CacheKey, Value == Item {
    /// What memory or disk has; throws `Missed` where they have nothing.
    func find(_ key: UInt64) async throws -> Item? {
        try await value(CacheKey(low: key), tags: []) { _ in throw Missed() }
    }

    func isKnown(_ key: UInt64) async -> Bool { (try? await find(key)) != nil }
    func put(_ item: Item, tags: [CacheTag] = []) { put(CacheKey(low: item.key), item, tags: tags) }
    func peek(_ key: UInt64) -> Item? { peek(CacheKey(low: key)) }
    func remove(_ key: UInt64) { remove(CacheKey(low: key)) }
}

extension CacheStatistics {
    func count(_ layer: String, _ result: String) -> Int {
        namespaces.flatMap(\.requests).filter { $0.layer == layer && $0.result == result }.reduce(0) { $0 + $1.count }
    }
}

/// A door that is opened once; who comes before waits.
actor Door {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for one in waiting { one.resume() }
        waiting = []
    }
}

/// Lets other tasks run until something holds that they will bring about.
func until(_ holds: @Sendable () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async {
    let end = ContinuousClock.now + .seconds(120)
    while !holds() {
        // Not a measure of time: what would never come to pass fails instead of hanging.
        guard ContinuousClock.now < end else {
            Issue.record("it did not come to pass", sourceLocation: sourceLocation)
            return
        }
        await Task.yield()
    }
}

/// How often something happened.
final class Count: Sendable {
    private let held = Atomic(0)
    var value: Int { held.load(ordering: .sequentiallyConsistent) }
    @discardableResult
    func up() -> Int { held.add(1, ordering: .sequentiallyConsistent).newValue }
}

extension CacheScene {
    /// Puts so many other entries that those that were there before have left memory; in steps that the spill can follow.
    static func crowdOut(_ cache: Cache, _ items: CacheNamespace<CacheKey, Item>, from first: UInt64 = 1 << 40, count: Int = 600)
        async
    {
        for number in 0..<UInt64(count) {
            items.put(Item(first + number, size: 3_000))
            if number % 10 == 9 { await cache.drainSpill() }
        }
        await cache.drainSpill()
    }
}
