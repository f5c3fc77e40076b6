import NIOCore
import NIOPosix
import SparkCore

/// Many connections that send each other messages, over one or more event loops.
package final class ChatLoad: Sendable {
    package struct Settings: Sendable {
        package var host = "127.0.0.1"
        package var port = 0
        /// An even number.
        package var connections = 10_000
        package var threads = 1
        package var sources = 8

        package init() {}
    }

    private let group: MultiThreadedEventLoopGroup
    private let fleets: [NIOLoopBound<ChatFleet>]
    private let loops: [any EventLoop]
    private let membersPerFleet: [Int]

    package init(_ settings: Settings, dialect: any ChatDialect) async throws {
        let threads = max(1, settings.threads)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let pairs = settings.connections / 2
        var fleets: [NIOLoopBound<ChatFleet>] = []
        var (sizes, loops): ([Int], [any EventLoop]) = ([], [])
        for index in 0..<threads {
            let users = (pairs * index / threads * 2)..<(pairs * (index + 1) / threads * 2)
            let loop = group.next()
            sizes.append(users.count)
            loops.append(loop)
            fleets.append(
                try await loop.submit {
                    NIOLoopBound(
                        ChatFleet(
                            eventLoop: loop, dialect: dialect, target: (settings.host, settings.port), users: users,
                            sources: settings.sources), eventLoop: loop)
                }.get())
        }
        self.group = group
        self.fleets = fleets
        self.loops = loops
        self.membersPerFleet = sizes
    }

    /// Connects everybody who is not connected.
    /// - Returns: the time until all were ready.
    package func connect() async throws -> Duration {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (fleet, loop) in zip(fleets, loops) {
                group.addTask { try await loop.flatSubmit { fleet.value.connect() }.get() }
            }
            try await group.waitForAll()
        }
        return start.duration(to: .now)
    }

    /// Everybody talks: `rate` messages a second over all connections, in random order.
    package func talk(run: UInt32, rate: Int, seconds: Double, seed: UInt64) async throws -> ChatReport {
        var random = SplitMix64(seed: seed)
        let orders = membersPerFleet.map { Array(0..<$0).shuffled(using: &random) }
        let share = Double(rate) / Double(fleets.count)
        let parts = try await withThrowingTaskGroup(of: ChatReport.self) { group in
            for index in fleets.indices {
                let (fleet, order) = (fleets[index], orders[index])
                // Each fleet counts its own messages; the run keeps them apart.
                let own = run &* UInt32(fleets.count) &+ UInt32(index)
                group.addTask { [loop = loops[index]] in
                    try await loop.flatSubmit {
                        fleet.value.talk(run: own, rate: share, seconds: seconds, patience: .seconds(10), order: order)
                    }.get()
                }
            }
            return try await group.reduce(into: [ChatReport]()) { $0.append($1) }
        }
        var whole = ChatReport()
        for part in parts { whole.add(part) }
        whole.rate = rate
        whole.seconds = seconds
        return whole
    }

    package func readyCount() async throws -> Int {
        var count = 0
        for (fleet, loop) in zip(fleets, loops) { count += try await loop.submit { fleet.value.readyCount }.get() }
        return count
    }

    package func shutDown() async throws {
        for (fleet, loop) in zip(fleets, loops) { try await loop.submit { fleet.value.disconnect() }.get() }
        try await group.shutdownGracefully()
    }
}
