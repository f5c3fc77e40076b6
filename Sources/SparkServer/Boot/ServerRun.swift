import Logging
import ServiceLifecycle
import SparkHTTP
import SparkKit
import SparkStorage
import SparkStream
import Synchronization
import UnixSignals

/// Step 5 of the boot: the services of a server, in the order of their start. They end in the opposite order.
struct ServerRun: Sendable {
    let group: ServiceGroup

    /// - Parameters:
    ///   - socket: the operators' socket, which is open.
    ///   - stop: ends the services, also when it is requested before they run.
    ///   - begin: called before anybody is let in, once every health check passes.
    ///   - handlesSignals: false inside another program.
    ///   - onReady: called with the addresses once every health check passes.
    init(
        _ data: OpenData, _ modules: ConstructedModules, _ frozen: FrozenServer, _ front: ServerFront, _ socket: OperatorSocket,
        _ listening: Listening, _ stop: StopRequest, begin: @escaping @Sendable () async throws -> Void, handlesSignals: Bool,
        onReady: @escaping @Sendable (Listening) async throws -> Void
    ) {
        let options = front.plan.options
        let process: ServerConfiguration = options.configuration.section("server")
        var services: [any Service] = [
            StorageWatch(failures: data.failures, logger: options.logger), frozen.events, frozen.backups, frozen.drills,
        ]
        if let archive = frozen.archive { services.append(archive) }
        if let states = frozen.states { services.append(states) }
        services.append(frozen.timedWork)
        services += modules.all(\.services)
        services.append(socket)
        services += front.services
        services += front.listeners
        services += [
            StreamService(
                gateway: frozen.gateway, logger: options.logger,
                patience: options.isEphemeral ? .milliseconds(500) : .seconds(5)),
            Announcement(
                readiness: frozen.readiness, front: front, listening: listening, stop: stop, logger: options.logger,
                begin: begin, onReady: onReady),
            Farewell(readiness: frozen.readiness, front: front),
        ]
        let isFixture = front.plan.fixture != nil
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: NamedService($0, isMarked: isFixture), successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            } + [.init(service: NamedService(stop, isMarked: false), successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: options.logger.forFrameworks)
        configuration.maximumGracefulShutdownDuration = process.shutdownTimeout
        self.group = ServiceGroup(configuration: configuration)
    }
}

/// A service described by the name of its type. The service group describes each service when it is created; the default
/// description of a struct walks through everything that it holds, which took a quarter of a start.
private struct NamedService: Service, CustomStringConvertible {
    let service: any Service
    /// Whether the service's writes are known as such.
    let isMarked: Bool

    init(_ service: any Service, isMarked: Bool) { (self.service, self.isMarked) = (service, isMarked) }

    var description: String { "\(type(of: service))" }

    func run() async throws {
        guard isMarked else { return try await service.run() }
        try await WriteOrigin.$isBackground.withValue(true) { try await service.run() }
    }
}

/// Waits until the server is ready, lets requests in and calls `onReady`.
private struct Announcement: Service {
    let readiness: Readiness
    let front: ServerFront
    let listening: Listening
    let stop: StopRequest
    let logger: Logger
    let begin: @Sendable () async throws -> Void
    let onReady: @Sendable (Listening) async throws -> Void

    func run() async throws {
        await readiness.modulesAreWell()
        guard !readiness.isDraining, !stop.isRequested, !Task.isCancelled else { return }
        try await begin()
        front.startGate.open()
        front.begin()
        do {
            try await onReady(listening)
        } catch {
            logger.error("announcing failed", metadata: ["error": "\(type(of: error))"])
        }
        try? await gracefulShutdown()
    }
}

/// Reports "not ready" as the first step of a shutdown. What comes from now on is for the next server, if there is a socket for it.
private struct Farewell: Service {
    let readiness: Readiness
    let front: ServerFront

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
        // Tests that wait for something get what there is.
        front.plan.fixture?.close()
        await front.leave()
    }
}

extension Logger {
    /// For libraries: their details address their own authors, up to dumps of the whole service tree.
    var forFrameworks: Logger {
        var logger = self
        logger.logLevel = max(logLevel, .notice)
        return logger
    }
}

/// A request to stop. A request that comes before the services run is kept: as the last service, this one ends at once, and the
/// group with it.
final class StopRequest: Service {
    private let requests: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let requested = Atomic(false)

    init() { (requests, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        continuation.yield()
    }

    func run() async throws {
        for await _ in requests.cancelOnGracefulShutdown() { return }
    }
}
