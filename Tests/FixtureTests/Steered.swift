import Spark
import SparkTestSupport

extension TestServer {
    /// A server with all modules, on a clock that a test moves.
    static func fixture() async throws -> TestServer { try await start(sparkModules) }
}
