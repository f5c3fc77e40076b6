public import Logging
public import SparkKit
public import SparkServer
import SparkTransport

/// The library's face: the whole server inside another program.
public enum Spark {
    /// A running server.
    public final class Instance: Sendable {
        public let listening: Listening
        public let server: Server
        private let task: Task<Void, any Error>

        fileprivate init(listening: Listening, server: Server, task: Task<Void, any Error>) {
            self.listening = listening
            self.server = server
            self.task = task
        }

        /// Shuts down gracefully and returns when everything is closed.
        public func stop() async throws {
            await server.shutDown()
            try await task.value
        }
    }

    /// Starts a server and returns once it listens.
    /// - Parameters:
    ///   - modules: Spark's own, plus or minus whatever the caller likes.
    ///   - dataDirectory: a temporary one that goes away with the server if nil.
    ///   - settings: `section.key=value`, as the flag `--set` takes them. Unless `http.listen` is among them, the server listens on
    ///     127.0.0.1 at a port that the system picks.
    /// - Throws: `PlanError`, `ConfigurationError` or `StorageOpenError` before a socket opens.
    public static func start(
        modules: [any SparkModule.Type] = sparkModules, dataDirectory: String? = nil,
        settings: [String] = [], logger: Logger = Logger(label: "spark")
    ) async throws -> Instance {
        // The last of several values for one key counts.
        let configuration = try LoadedConfiguration(
            schema: ConfigurationSchema(modules: modules), flags: ["http.listen=127.0.0.1:0"] + settings)
        let directory = try dataDirectory.map { try DataDirectory(path: $0) } ?? DataDirectory.temporary()
        var options = Server.Options(
            modules: modules, configuration: configuration, directory: directory, logger: logger)
        options.isEphemeral = dataDirectory == nil
        return try await start(Server.launch(options))
    }

    /// Runs a server that was put together elsewhere, and returns once it listens.
    /// - Throws: `PlanError` when the data does not fit the configuration, and what the system says of the address.
    public static func start(_ server: Server) async throws -> Instance {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Listening.self)
        let task = Task {
            do {
                try await server.run(handlesSignals: false) { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
                throw error
            }
        }
        for try await listening in stream { return Instance(listening: listening, server: server, task: task) }
        throw CancellationError()
    }
}
