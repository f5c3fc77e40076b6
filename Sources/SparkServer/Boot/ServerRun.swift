import Logging
import ServiceLifecycle
import SparkHTTP
import SparkKit
import SparkStream
import Synchronization
import UnixSignals

/// Step 5 of the boot: the services of a server, in the order of their start. They end in the opposite order.
struct ServerRun: Sendable {
    let group: ServiceGroup

    /// - Parameters:
    ///   - socket: the operators' socket, which is open.
    ///   - stop: ends the services, also when it is requested before they run.
    ///   - handlesSignals: false inside another program.
    ///   - onReady: called with the addresses once every health check passes.
    init(
        _ data: OpenData, _ modules: ConstructedModules, _ frozen: FrozenServer, _ front: ServerFront, _ socket: OperatorSocket,
        _ listening: Listening, _ stop: StopRequest, handlesSignals: Bool,
        onReady: @escaping @Sendable (Listening) async throws -> Void
    ) {
        let options = front.plan.options
        let process: ServerConfiguration = options.configuration.section("server")
        var services: [any Service] = [
            StorageWatch(failures: data.failures, logger: options.logger), frozen.events, frozen.outbox, frozen.clockKeeping,
            IdempotencySweeper(edge: frozen.edge, logger: options.logger),
            CopyKeeping(directory: options.directory, age: process.backupAge, clock: options.clock, logger: options.logger),
            CacheKeeping(cache: modules.surroundings.cache),
            GaugeSampler(
                database: DatabaseGauges(storage: data.storage, file: options.directory.database),
                outbox: OutboxGauges(storage: data.storage, clock: options.clock),
                directory: DiskGauges(directory: options.directory), logger: options.logger),
        ]
        services += modules.all(\.services)
        services.append(socket)
        services += front.listeners
        services += [
            StreamService(
                gateway: frozen.gateway, logger: options.logger,
                patience: options.isEphemeral ? .milliseconds(500) : .seconds(5)),
            Announcement(
                readiness: frozen.readiness, startGate: front.startGate, listening: listening, stop: stop, logger: options.logger,
                onReady: onReady),
            Farewell(readiness: frozen.readiness),
        ]
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(
                    service: NamedService($0), successTerminationBehavior: .ignore,
                    failureTerminationBehavior: .gracefullyShutdownGroup)
            } + [.init(service: NamedService(stop), successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: options.logger.forFrameworks)
        configuration.maximumGracefulShutdownDuration = process.shutdownTimeout
        self.group = ServiceGroup(configuration: configuration)
    }
}

/// A service described by the name of its type. The service group describes each service when it is created; the default
/// description of a struct walks through everything that it holds, which took a quarter of a start.
private struct NamedService: Service, CustomStringConvertible {
    let service: any Service

    init(_ service: any Service) { self.service = service }

    var description: String { "\(type(of: service))" }

    func run() async throws { try await service.run() }
}

/// Waits until the server is ready, lets requests in and calls `onReady`.
private struct Announcement: Service {
    let readiness: Readiness
    let startGate: StartGate
    let listening: Listening
    let stop: StopRequest
    let logger: Logger
    let onReady: @Sendable (Listening) async throws -> Void

    func run() async throws {
        await readiness.modulesAreWell()
        guard !readiness.isDraining, !stop.isRequested, !Task.isCancelled else { return }
        startGate.open()
        do {
            try await onReady(listening)
        } catch {
            logger.error("announcing failed", metadata: ["error": "\(type(of: error))"])
        }
        try? await gracefulShutdown()
    }
}

/// Reports "not ready" as the first step of a shutdown.
private struct Farewell: Service {
    let readiness: Readiness

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
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

/// Every ten minutes, deletes idempotent responses past their retention.
private struct IdempotencySweeper: Service {
    let edge: Edge
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(600))) != nil {
                do {
                    try await edge.sweep()
                } catch {
                    logger.warning("housekeeping failed", metadata: ["error": .string(ErrorSummary.of(error))])
                }
            }
        }
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
