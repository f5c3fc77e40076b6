import Metrics
import ServiceLifecycle
import SparkCore
import SparkKit

/// Carries committed events to their subscribers. Each subscriber has a bounded queue and a task, so none waits for another.
final class EventBus: Service, Sendable {
    private static let capacity = 8_192
    private static let droppedName = "spark_events_dropped_total"

    static let declarations = [
        MetricDeclaration(droppedName, .counter, help: "Events that a subscriber never got because its queue was full.")
    ]

    private enum Item: Sendable {
        case event(any SparkEvent)
        /// Resumed when every earlier event was handled.
        case barrier(CheckedContinuation<Void, Never>)
    }

    /// A subscription with its queue.
    private struct Subscriber: Sendable {
        let handle: @Sendable (any SparkEvent) async -> Void
        let stream: AsyncStream<Item>
        let continuation: AsyncStream<Item>.Continuation
    }

    private let subscribers: [Subscriber]
    private let byType: [ObjectIdentifier: [Int]]
    private let overflow = Counter(label: droppedName)

    /// - Parameter hooks: those that are no subscriptions are ignored.
    init(_ hooks: [EventHook]) {
        var byType: [ObjectIdentifier: [Int]] = [:]
        var subscribers: [Subscriber] = []
        for hook in hooks {
            guard case .subscription(let handle) = hook.action else { continue }
            let (stream, continuation) = AsyncStream.makeStream(
                of: Item.self, bufferingPolicy: .bufferingOldest(Self.capacity))
            byType[hook.type, default: []].append(subscribers.count)
            subscribers.append(Subscriber(handle: handle, stream: stream, continuation: continuation))
        }
        self.subscribers = subscribers
        self.byType = byType
    }

    func publish(_ events: [any SparkEvent]) {
        for event in events {
            for index in byType[ObjectIdentifier(type(of: event))] ?? [] {
                if case .dropped = subscribers[index].continuation.yield(.event(event)) {
                    overflow.increment()
                }
            }
        }
    }

    /// Returns when every event published so far has been handled.
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
                        case .event(let event): await subscriber.handle(event)
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
