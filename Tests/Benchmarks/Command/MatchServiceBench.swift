import Foundation
import HTTPTypes
import Logging
import ServiceLifecycle
import Spark
import SparkBench
import SparkDemo
import SparkServer
import Synchronization

/// Decks, swipes and moves through a complete server without a socket: router, checks, modules, write queue and disk.
struct MatchServiceBench {
    let people: Int
    /// The number of viewers who request decks, and of people who swipe and move.
    let actors: Int
    let seconds: Int

    private static let swipesPerSecond = 5_000
    private static let reportsPerSecond = 10_000

    func run(_ progress: @escaping @Sendable (String, Int) -> Void) async throws -> MatchServiceReport {
        let settings = [
            "http.reads_per_minute=0", "http.writes_per_minute=0", "matching.likes_per_day=100000",
            "profiles.location_changes_per_hour=10000", "profiles.max_speed_kmh=0",
        ]
        let server = try Server(
            Server.Options(
                modules: sparkModules,
                configuration: try LoadedConfiguration(schema: ConfigurationSchema(modules: sparkModules), flags: settings),
                directory: try DataDirectory(temporaryIn: FileManager.default.temporaryDirectory),
                logger: Logger(label: "spark.bench") { _ in SwiftLogNoOpLogHandler() }))
        let town = GeneratedTown(count: people, seed: 1, now: SystemWallClock().now())
        try server.load(town) { progress($0, $1) }
        try await server.prepare()
        let services = ServiceGroup(
            configuration: .init(
                services: server.backgroundServices.map { .init(service: $0, successTerminationBehavior: .ignore) },
                logger: Logger(label: "spark.bench") { _ in SwiftLogNoOpLogHandler() }))
        let background = Task { try await services.run() }
        defer { background.cancel() }
        let report = try await measure(ServiceActors(server: server, town: town, count: actors))
        await services.triggerGracefulShutdown()
        _ = try? await background.value
        await server.close()
        return report
    }

    private func measure(_ actors: ServiceActors) async throws -> MatchServiceReport {
        try await actors.logIn()
        var report = MatchServiceReport(people: people)
        report.first = try await latencies { try await actors.deck($0) }
        report.again = try await latencies { try await actors.deck($0) }
        report.swipesPerSecond = try await saturated { try await actors.swipe($0) }
        report.movesPerSecond = try await saturated { try await actors.move($0) }
        report.reportsPerSecond = try await saturated { try await actors.report($0) }
        report.idle = try await latencies { try await actors.deck($0) }
        let counts = LoadCounts()
        report.loaded = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pace(Self.swipesPerSecond, counts.swipes) { try await actors.swipe($0) } }
            group.addTask { try await pace(Self.reportsPerSecond, counts.moves) { try await actors.report($0) } }
            let start = ContinuousClock.now
            var times: [Double] = []
            var number = 0
            while start.duration(to: .now) < .seconds(seconds) {
                times.append(try await time { try await actors.deck(number) })
                number += 1
            }
            let elapsed = start.duration(to: .now).inSeconds
            report.loadedSwipes = Double(counts.swipes.load(ordering: .relaxed)) / elapsed
            report.loadedReports = Double(counts.moves.load(ordering: .relaxed)) / elapsed
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
            return Latencies(times)
        }
        return report
    }

    private final class LoadCounts: Sendable {
        let swipes = Atomic(0)
        let moves = Atomic(0)
    }

    private func time(_ body: () async throws -> Void) async rethrows -> Double {
        let start = ContinuousClock.now
        try await body()
        return start.duration(to: .now).inSeconds * 1e6
    }

    private func latencies(_ body: (Int) async throws -> Void) async throws -> Latencies {
        var times: [Double] = []
        for number in 0..<actors { times.append(try await time { try await body(number) }) }
        return Latencies(times)
    }

    /// Requests per second with 128 requests always under way.
    private func saturated(_ body: @escaping @Sendable (Int) async throws -> Void) async throws -> Double {
        let (next, start) = (Counter(), ContinuousClock.now)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<128 {
                group.addTask {
                    while start.duration(to: .now) < .seconds(seconds) { try await body(next.take()) }
                }
            }
            try await group.waitForAll()
        }
        return Double(next.take()) / start.duration(to: .now).inSeconds
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    /// Starts `rate` requests per second on schedule, whether or not earlier ones are done, until it is cancelled.
    private func pace(
        _ rate: Int, _ done: borrowing Atomic<Int>, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            var begun = 0
            while !Task.isCancelled {
                let due = Int(start.duration(to: .now).inSeconds * Double(rate))
                while begun < due {
                    let number = begun
                    group.addTask { try? await body(number) }
                    begun += 1
                }
                done.store(begun, ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }
}

/// People of the town who use the server.
private final class ServiceActors: Sendable {
    let server: Server
    let town: GeneratedTown
    let count: Int
    private let tokens = Mutex<[String]>([])
    private let swipes = Atomic(0)

    init(server: Server, town: GeneratedTown, count: Int) {
        self.server = server
        self.town = town
        self.count = min(count, town.count)
    }

    private func index(_ actor: Int) -> Int { actor % count * (town.count / count) }

    func logIn() async throws {
        guard let issuer = server.port((any TokenIssuing).self) else { return }
        for actor in 0..<count {
            let token = try await issuer.issueToken(for: town.id(index(actor))).token
            tokens.withLock { $0.append(token) }
        }
    }

    func deck(_ actor: Int) async throws {
        try await send(actor, .get, "/api/v1/matches/suggestions?limit=20", body: [])
    }

    /// Likes a person of the same city, a different one each time.
    func swipe(_ actor: Int) async throws {
        let neighbours = town.neighbours(of: index(actor))
        let step = swipes.wrappingAdd(1, ordering: .relaxed).oldValue / count
        let target = neighbours.lowerBound + (index(actor) - neighbours.lowerBound + 1 + step) % max(2, neighbours.count)
        let body =
            #"{"target_id":"\#(town.id(min(target, town.count - 1)).wire)","action":"\#(step % 3 == 0 ? "like" : "pass")"}"#
        try await send(actor, .post, "/api/v1/swipes", body: Array(body.utf8))
    }

    /// Reports a place: nine times out of ten still home, otherwise a neighbour's home, usually in another cell.
    func report(_ number: Int) async throws {
        if number % 10 == 0 { try await move(number / 10) } else { try await tell(number, town.person(index(number)).place) }
    }

    /// Moves to a neighbour's home.
    func move(_ actor: Int) async throws {
        let neighbours = town.neighbours(of: index(actor))
        try await tell(actor, town.person(neighbours.lowerBound + (actor * 7_919) % neighbours.count).place)
    }

    private func tell(_ actor: Int, _ place: Coordinate) async throws {
        let body = #"{"latitude":\#(place.latitude),"longitude":\#(place.longitude)}"#
        try await send(actor, .put, "/api/v1/me/location", body: Array(body.utf8))
    }

    private func send(_ actor: Int, _ method: HTTPRequest.Method, _ path: String, body: [UInt8]) async throws {
        var request = HTTPRequest(method: method, scheme: "http", authority: "bench", path: path)
        request.headerFields[.authorization] = "Bearer \(tokens.withLock { $0[actor % count] })"
        if !body.isEmpty { request.headerFields[.contentType] = "application/json" }
        let (head, _) = try await server.answer(request, body: body, peerAddress: "127.0.0.1")
        // The server refuses a swipe on a match, or on oneself in a city of one. These answers count like others.
        guard head.status.code < 500 else { throw ServiceRefused(status: head.status.code) }
    }
}

/// A server error in the benchmark.
struct ServiceRefused: Error { let status: Int }
