import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// Carries committed events to their subscribers: a bounded queue and a task each, so that none waits for another.
final class EventBus: Service, Sendable {
    private static let capacity = 8_192

    private enum Item: Sendable {
        case event(any SparkEvent)
        /// Answered when everything before it was handled.
        case barrier(CheckedContinuation<Void, Never>)
    }

    private struct Subscriber: Sendable {
        let subscription: EventSubscription
        let stream: AsyncStream<Item>
        let continuation: AsyncStream<Item>.Continuation
    }

    private let subscribers: [Subscriber]
    private let byType: [ObjectIdentifier: [Int]]
    private let overflow = Atomic<Int>(0)

    init(_ subscriptions: [EventSubscription]) {
        self.subscribers = subscriptions.map { subscription in
            let (stream, continuation) = AsyncStream.makeStream(
                of: Item.self, bufferingPolicy: .bufferingOldest(Self.capacity))
            return Subscriber(subscription: subscription, stream: stream, continuation: continuation)
        }
        self.byType = Dictionary(grouping: subscriptions.indices) { subscriptions[$0].type }
    }

    /// Events that found a full queue.
    var overflowed: Int { overflow.load(ordering: .relaxed) }

    func publish(_ events: [any SparkEvent]) {
        for event in events {
            for index in byType[ObjectIdentifier(type(of: event))] ?? [] {
                if case .dropped = subscribers[index].continuation.yield(.event(event)) {
                    overflow.add(1, ordering: .relaxed)
                }
            }
        }
    }

    /// Returns when all that was published before has been handled.
    func drain() async {
        for subscriber in subscribers {
            await withCheckedContinuation { continuation in
                switch subscriber.continuation.yield(.barrier(continuation)) {
                case .enqueued: break
                default: continuation.resume()
                }
            }
        }
    }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for subscriber in subscribers {
                group.addTask {
                    for await item in subscriber.stream {
                        switch item {
                        case .event(let event): await subscriber.subscription.handle(event)
                        case .barrier(let continuation): continuation.resume()
                        }
                    }
                }
            }
            try? await gracefulShutdown()
            for subscriber in subscribers { subscriber.continuation.finish() }
        }
    }
}
