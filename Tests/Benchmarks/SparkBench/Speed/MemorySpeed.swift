import Logging
import SparkCache
import SparkCore
import SparkKit
import Synchronization

/// Gets and puts of values of 1,024 bytes among 50,000 entries in memory, two threads, beside one dictionary under one lock.
public struct MemorySpeed: Sendable {
    /// Nanoseconds of one step as one thread sees it.
    public let get: Double
    public let put: Double
    public let dictionaryGet: Double
    public let dictionaryPut: Double
    /// Gets that missed: must be 0, otherwise the figures mean nothing.
    public let misses: Int

    /// - Parameters:
    ///   - steps: of each thread in one round.
    ///   - entries: in memory.
    public static func measure(steps: Int = 100_000, rounds: Int = 31, entries: Int = 50_000) -> MemorySpeed {
        let orders = (0..<Timing.threads).map { thread -> [UserID] in
            var dice = Dice(seed: UInt64(thread))
            return (0..<1 << 17).map { _ in UserID(rawValue: Int64(dice.below(entries) + 1)) }
        }
        // The values that threads put: made in advance, like the origin's answers.
        let texts = SampleTexts()
        let values = (0..<Timing.threads).map { thread in (0..<256).map { texts.value(thread * 1_000 + $0) } }

        let namespace = filledNamespace(texts, entries: entries)
        let misses = Mutex(0)
        let get = Timing.nanoseconds(steps: steps, rounds: rounds) { thread, steps in
            var bytes = 0
            var missed = 0
            orders[thread].withUnsafeBufferPointer { order in
                for step in 0..<steps {
                    if let value = namespace.peek(order[step & (order.count - 1)]) { bytes &+= value.count } else { missed += 1 }
                }
            }
            misses.withLock { $0 += missed }
            return bytes & .max
        }
        let put = Timing.nanoseconds(steps: steps, rounds: rounds) { thread, steps in
            let (order, values) = (orders[thread], values[thread])
            for step in 0..<steps {
                let user = order[step & (order.count - 1)]
                namespace.put(user, values[step & 255], tag: .user(user))
            }
            return 0
        }

        let dictionary = Mutex<[UserID: [UInt8]]>([:])
        for number in 1...entries { dictionary.withLock { $0[UserID(rawValue: Int64(number))] = texts.value(number) } }
        let dictionaryGet = Timing.nanoseconds(steps: steps, rounds: rounds) { thread, steps in
            let order = orders[thread]
            var bytes = 0
            for step in 0..<steps {
                let user = order[step & (order.count - 1)]
                bytes &+= dictionary.withLock { $0[user] }?.count ?? 0
            }
            return bytes & .max
        }
        let dictionaryPut = Timing.nanoseconds(steps: steps, rounds: rounds) { thread, steps in
            let (order, values) = (orders[thread], values[thread])
            for step in 0..<steps {
                let user = order[step & (order.count - 1)]
                dictionary.withLock { $0[user] = values[step & 255] }
            }
            return 0
        }
        return MemorySpeed(
            get: get, put: put, dictionaryGet: dictionaryGet, dictionaryPut: dictionaryPut, misses: misses.withLock { $0 })
    }

    private static func filledNamespace(_ texts: SampleTexts, entries: Int) -> CacheNamespace<UserID, [UInt8]> {
        let cache = Cache(
            CacheConfiguration(memoryBytes: 256 << 20), clock: ManualClock(Timestamp(milliseconds: 1_770_000_000_000)),
            random: SeededRandomSource(seed: 1), logger: Logger(label: "spark.bench"))
        let namespace = cache.namespace(
            NamespacePolicy("user:profile", lifetime: .days(1)), key: UserID.self, value: [UInt8].self)
        for number in 1...entries {
            let user = UserID(rawValue: Int64(number))
            namespace.put(user, texts.value(number), tags: [.user(user)])
        }
        return namespace
    }
}
