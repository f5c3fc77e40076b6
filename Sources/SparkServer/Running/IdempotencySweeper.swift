import Logging
import ServiceLifecycle
import SparkTransport

/// What is done every ten minutes: answers kept for idempotency keys are forgotten after their day.
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
