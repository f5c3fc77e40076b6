import Logging
import ServiceLifecycle
import SparkHTTP

/// Every ten minutes, deletes idempotent responses past their retention.
struct IdempotencySweeper: Service {
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
