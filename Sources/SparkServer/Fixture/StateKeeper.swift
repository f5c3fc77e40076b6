import Foundation
import Logging
import ServiceLifecycle
import SparkCache
import SparkCore
import SparkFiles
import SparkHTTP
import SparkKit
import SparkStorage
import SparkStream
import Synchronization

/// The snapshots of a server for tests.
///
/// A snapshot is a copy of the database file and of everything that memory holds beside it, taken on the writer's thread between two
/// commits, while no request is under way. A restore puts both back: no answer after it comes from before. What memory holds is a list
/// of states, the kernel's own and those that modules register; see `ModuleRegistrar.fixtureState`. Metrics and logs go on.
final class StateKeeper: ServerStateKeeping, Service {
    /// The most snapshots. Beyond it the one goes that was made or restored the longest ago. The text of `FixtureStateError.unknownSnapshot` has the number.
    private static let mostKept = 32
    /// How long requests under way may take to end.
    private static let patience = Duration.seconds(5)
    /// How long open streams may take to close.
    private static let streamPatience = Duration.seconds(1)

    private struct Snapshot: Sendable {
        let image: DatabaseImage
        let memory: [any Sendable]
        let time: Timestamp
        let isFrozen: Bool
    }

    private struct State {
        var snapshots: [(id: String, snapshot: Snapshot)] = []
        /// The state at the start.
        var base: Snapshot?
        /// The number of files made.
        var count = 0
        /// Ends with the last operation that was asked for.
        var last: Task<Void, Never>?
        var clones: [ClonedServer] = []
    }

    private let storage: SQLiteStorage
    private let hub: Hub
    private let gate: RequestGate
    private let clock: any ClockControl
    private let events: EventBus
    private let directory: DataDirectory
    private let cloning: (any ServerCloning)?
    private let logger: Logger
    private let memory: [FixtureState]
    private let carried: [CarriedState]
    private let hooks: [@Sendable () async throws -> Void]
    private let state = Mutex(State())

    /// Nil unless the server is for tests.
    init?(_ modules: ConstructedModules, _ events: EventBus, _ desk: OperatorDesk, behind front: ServerFront) {
        let surroundings = modules.surroundings
        guard let fixture = surroundings.fixture, let gate = front.edge.requestGate,
            let clock = front.plan.fixtureTime
        else { return nil }
        let (cache, people) = (surroundings.cache, fixture.people)
        self.storage = surroundings.storage
        self.hub = surroundings.hub
        self.gate = gate
        self.clock = clock
        self.events = events
        self.directory = surroundings.options.directory
        self.cloning = surroundings.options.cloning
        self.logger = surroundings.options.logger
        self.memory =
            [
                FixtureState(module: "cache", capture: { cache.capture() }, restore: { cache.restore($0) }),
                front.edge.fixtureState, surroundings.hub.tickets.fixtureState, desk.fixtureState,
            ] + fixture.fixtureStates + modules.all(\.fixtureStates)
        self.carried =
            [CarriedState(name: "people", export: { people.json }, take: { people.take($0) })] + modules.all(\.carriedStates)
        self.hooks = modules.all(\.restoreHooks)
    }

    /// Keeps the present state as the one that `reset` goes back to.
    func begin() async throws {
        let base = try await inTurn { [self] in try await whileStill { try await capture() } }
        state.withLock { $0.base = base }
    }

    func snapshot() async throws -> String {
        try await inTurn { [self] in
            let snapshot = try await whileStill { try await capture() }
            return state.withLock { state in
                let id = "s\(state.count)"
                state.snapshots.append((id, snapshot))
                if state.snapshots.count > Self.mostKept { state.snapshots.removeFirst() }
                return id
            }
        }
    }

    func restore(_ id: String) async throws {
        try await inTurn { [self] in
            let found = state.withLock { state -> Snapshot? in
                guard let place = state.snapshots.firstIndex(where: { $0.id == id }) else { return nil }
                // The one that every test begins with is in use, however old it is.
                state.snapshots.append(state.snapshots.remove(at: place))
                return state.snapshots.last?.snapshot
            }
            guard let found else { throw FixtureStateError.unknownSnapshot }
            try await goBack(to: found)
        }
    }

    func reset() async throws {
        try await inTurn { [self] in
            guard let base = state.withLock({ $0.base }) else { throw FixtureStateError.busy }
            try await goBack(to: base)
        }
    }

    // MARK: The steps

    /// Runs operations one after the other, in the order in which they were asked for.
    private func inTurn<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = state.withLock { state in
            let before = state.last
            let task = Task {
                await before?.value
                do {
                    return try await work()
                } catch let error as FileError where error.fault.isOutOfSpace {
                    throw StorageError.full
                }
            }
            state.last = Task { _ = await task.result }
            return task
        }
        return try await task.value
    }

    /// Runs work while no request is under way and every event has been handled. Requests that come meanwhile wait.
    private func whileStill<Value>(_ work: () async throws -> Value) async throws -> Value {
        gate.close()
        defer { gate.open() }
        try await gate.drain(within: Self.patience)
        await events.drain()
        return try await work()
    }

    private func capture() async throws -> Snapshot {
        let path = try newPath(in: "snapshots", suffix: ".db")
        let memory = memory
        let captured = try await storage.capture(into: path) { memory.map { $0.capture() } }
        return Snapshot(image: captured.image, memory: captured.memory, time: clock.now, isFrozen: clock.isFrozen)
    }

    private func goBack(to snapshot: Snapshot) async throws {
        try await whileStill {
            await hub.endAll(within: Self.streamPatience)
            // Offsets of the events count from the snapshot's again, so a client must not go on with those that it has.
            let epoch = String(SystemRandomSource().next(), radix: 36)
            let (memory, hub) = (memory, hub)
            await clock.restore(snapshot.time, isFrozen: snapshot.isFrozen)
            try await storage.restore(snapshot.image) {
                for (state, value) in zip(memory, snapshot.memory) { state.restore(value) }
                hub.begin(epoch: epoch)
            }
            for hook in hooks { try await hook() }
        }
    }

    private func newPath(in folder: String, suffix: String) throws -> String {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        let folder = directory.url.appending(path: folder, directoryHint: .isDirectory).path
        try DurableFile.makeDirectory(folder, isLasting: false)
        return "\(folder)/\(number)\(suffix)"
    }

    // MARK: Clones

    func clone() async throws -> ServerClone {
        guard let cloning else { throw FixtureStateError.cannotClone }
        let folder = try newPath(in: "clones", suffix: "")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The image is kept until the clone has moved its file away.
        let snapshot = try await inTurn { [self] in
            try DurableFile.makeDirectory(folder, isLasting: false)
            return try await whileStill { try await prepare(folder) }
        }
        do {
            let clone = try await cloning.start(from: folder)
            state.withLock { state in
                state.clones.removeAll { $0.hasEnded }
                state.clones.append(clone)
            }
            return withExtendedLifetime(snapshot) { clone.address }
        } catch {
            logger.error("a clone did not start", metadata: ["error": "\(error)"])
            throw FixtureStateError.cloneFailed
        }
    }

    /// Puts everything that a clone begins with into a folder: the database, the server's key, and what modules hand over.
    private func prepare(_ folder: String) async throws -> DatabaseImage {
        let captured = try await storage.capture(into: "\(folder)/\(directory.database.lastPathComponent)") { true }
        for file in [directory.keyFile, directory.url.appending(path: "audit.head")] where FileStatus(path: file.path) != nil {
            _ = try CopiedFile.make("\(folder)/\(file.lastPathComponent)", of: file.path)
        }
        let time: JSONValue = ["now": .integer(clock.now.milliseconds), "frozen": .bool(clock.isFrozen)]
        let states = JSONValue.object([JSONMember("clock", time)] + carried.map { JSONMember($0.name, $0.export()) })
        try DurableFile.replace(
            "\(folder)/\(ClonedServer.carriedFile)", with: JSONWriter.bytes(of: states), isLasting: false)
        return captured.image
    }

    /// Takes over what another server handed to this clone of it. The clone's history of events is its own from here on.
    func take(_ states: JSONValue) async throws {
        if let milliseconds = states["clock"]?["now"]?.integer {
            await clock.restore(Timestamp(milliseconds: milliseconds), isFrozen: states["clock"]?["frozen"]?.bool ?? false)
        }
        for state in carried {
            if let value = states[state.name] { try state.take(value) }
        }
        hub.begin(epoch: String(SystemRandomSource().next(), radix: 36))
    }

    /// Ends the clones when the server stops. They also end by themselves soon after this process.
    func run() async throws {
        try? await gracefulShutdown()
        for clone in state.withLock({ $0.clones }) { clone.end() }
    }
}
