package import SparkCore
import SparkKit
import SparkStorage

extension SessionLiveness {
    /// Runs `body` on behalf of a session: none of its writes takes effect once the session has ended, however long a write
    /// waited.
    package func acting<Value>(as principal: Principal, _ body: () async throws -> Value) async throws -> Value {
        let condition = WriteCondition { transaction in
            guard try isLive(principal, in: transaction) else { throw EdgeError.unauthenticated }
        }
        return try await WriteCondition.$current.withValue(condition) { try await body() }
    }
}
