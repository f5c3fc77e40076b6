// `import Spark` is all that a module outside this repository needs.
@_exported public import HTTPTypes
public import Logging
@_exported public import SparkCore
@_exported public import SparkKit
@_exported public import SparkServer
@_exported public import SparkStorage

/// The library's entry point: runs a whole server inside another program.
public enum Spark {
    /// A running server.
    public final class Instance: Sendable {
        /// The addresses that the server listens on.
        public let listening: Listening
        /// The server itself.
        public let server: Server
        private let task: Task<Void, any Error>

        fileprivate init(listening: Listening, server: Server, task: Task<Void, any Error>) {
            self.listening = listening
            self.server = server
            self.task = task
        }

        /// Shuts down gracefully and returns when everything is closed.
        /// - Throws: The error that ended the server, if one did.
        public func stop() async throws {
            await server.shutDown()
            try await task.value
        }
    }

    /// Starts a server and returns once it listens.
    /// - Parameters:
    ///   - modules: The modules to run; by default all of Spark's. `fixture` runs only in a server with a temporary data directory.
    ///   - dataDirectory: The data directory; nil creates a temporary one that is deleted with the server.
    ///   - settings: `section.key=value`, as for the flag `--set`. Without `http.listen`, the server listens on 127.0.0.1 at a
    ///     free port.
    ///   - logger: Gets all log lines of the server.
    /// - Throws: `PlanError`, `ConfigurationError` or `StorageOpenError` before a socket opens.
    public static func start(
        modules: [any SparkModule.Type] = sparkModules, dataDirectory: String? = nil,
        settings: [String] = [], logger: Logger = Logger(label: "spark")
    ) async throws -> Instance {
        // If a key has several values, the last one counts.
        let configuration = try LoadedConfiguration(
            schema: ConfigurationSchema(modules: modules), flags: ["http.listen=127.0.0.1:0"] + settings)
        let directory = try dataDirectory.map { try DataDirectory(path: $0) } ?? DataDirectory.temporary()
        var options = Server.Options(
            modules: modules, configuration: configuration, directory: directory, logger: logger)
        options.isEphemeral = dataDirectory == nil
        return try await start(Server.launch(options))
    }

    /// Runs a server that the caller has built, and returns once it listens.
    /// - Throws: `PlanError` if the data does not fit the configuration, or the system's error if the address cannot be used.
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
