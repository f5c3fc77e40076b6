import Crypto
import Foundation
import Logging
import SparkCore
import Synchronization
import Testing

@testable import SparkCache

/// Opens caches with a manual clock and a directory for the spill, which a later cache of the fixture uses again.
final class CacheFixture {
    let clock = FixtureClock()
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

    /// An open cache with one namespace, which the test closes or abandons, as a killed process would.
    func open(_ policy: NamespacePolicy = .plain) -> (cache: Cache, items: CacheNamespace<CacheKey, Item>) {
        let cache = make()
        let items = cache.namespace(policy, key: CacheKey.self, value: Item.self)
        cache.open()
        return (cache, items)
    }

    /// Opens a cache with one namespace and closes it after the body, even if the body throws.
    func withCache(
        _ policy: NamespacePolicy = .plain, isolation: isolated (any Actor)? = #isolation,
        _ body: (Cache, CacheNamespace<CacheKey, Item>) async throws -> Void
    ) async throws {
        let (cache, items) = open(policy)
        do {
            try await body(cache, items)
        } catch {
            await cache.close()
            throw error
        }
        await cache.close()
    }

    /// A cache that is not open yet.
    func make() -> Cache {
        Cache(
            configuration, clock: clock, random: SeededRandomSource(seed: 5),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Puts enough other entries to push the earlier ones out of memory, in steps that the spill can follow.
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

/// A manual clock that owns the spill's directory: every cache holds its clock, so the directory goes with the last one.
final class FixtureClock: WallClock {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("cache-\(UUID().uuidString)")
    private let clock = ManualClock(Timestamp(milliseconds: 1_770_000_000_000))

    deinit { try? FileManager.default.removeItem(at: directory) }

    func now() -> Timestamp { clock.now() }
    func advance(by duration: Duration) { clock.advance(by: duration) }
}

extension NamespacePolicy {
    /// Exactly one hour, no grace.
    static var plain: NamespacePolicy {
        var policy = NamespacePolicy("items", lifetime: .seconds(3_600))
        policy.jitter = 0
        return policy
    }
}

/// A value that knows its key and version, and whether its encoding is intact.
struct Item: CacheValue, Equatable {
    let key: UInt64
    let version: UInt64
    /// Its cost in bytes.
    let size: Int

    init(_ key: UInt64, _ version: UInt64 = 1, size: Int = 100) {
        (self.key, self.version, self.size) = (key, version, size)
    }

    var cacheCost: Int { size }

    func encode(into bytes: inout [UInt8]) {
        for word in [key, version, UInt64(size)] { bytes.appendLittleEndian(word) }
        bytes.append(contentsOf: repeatElement(filling, count: max(0, size - 24)))
    }

    /// Depends on key and version, so a mixture of two values is no valid encoding.
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

/// Thrown by a load that must not happen: neither memory nor the spill has the entry.
struct NotCached: Error {}

extension CacheNamespace where Key == CacheKey, Value == Item {
    /// What memory or the spill has.
    /// - Throws: `NotCached` when neither has the entry.
    func find(_ key: UInt64) async throws -> Item? {
        try await value(CacheKey(low: key), tags: []) { _ in throw NotCached() }
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

/// Blocks tasks until it is opened, once.
actor Latch {
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

/// A counter for many threads.
final class Count: Sendable {
    private let held = Atomic(0)
    var value: Int { held.load(ordering: .sequentiallyConsistent) }
    @discardableResult
    func up() -> Int { held.add(1, ordering: .sequentiallyConsistent).newValue }
}

extension CacheTag {
    private static let kinds =
        (["t.0", "t.1", "t.2", "t.3", "t.4", "t.5", "t.6", "t.7", "t.8", "t.9"] as [StaticString]).map { CacheTagKind($0) }

    /// A tag of one of ten kinds.
    init(kind: Int, _ id: UInt64) { self.init(Self.kinds[kind], id) }
}

/// The size of the heavy tests: small in `swift test`, full in `make soak`.
enum Scale {
    static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    static func of(test: Int, soak: Int) -> Int { isSoak ? soak : test }
}
