import SparkClient

/// A server that a test started and has to stop.
package protocol RunningServer: Sendable {
    /// Stops it, and returns when it has stopped.
    func stop() async
}

extension TestServer: RunningServer {}

/// Runs a test against a server and then stops it, also when the test throws.
package func withServer<Server: RunningServer>(
    _ server: Server, isolation: isolated (any Actor)? = #isolation, _ body: (Server) async throws -> Void
) async throws {
    try await fromServer(server, body)
}

/// Takes something from a server and then stops it, also when that throws.
/// - Returns: what `body` returns.
package func fromServer<Server: RunningServer, Value>(
    _ server: Server, isolation: isolated (any Actor)? = #isolation, _ body: (Server) async throws -> Value
) async throws -> Value {
    do {
        let value = try await body(server)
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}
