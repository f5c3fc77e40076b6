import SparkCore
import SparkKit
import SparkStorage

extension SessionLiveness {
    /// Runs something on behalf of a session: none of its writes takes effect once that has ended, however long it had to wait.
    func acting<Value>(as principal: Principal, _ body: () async throws -> Value) async throws -> Value {
        let condition = WriteCondition { transaction in
            guard try isLive(principal, in: transaction) else { throw EdgeError.unauthenticated }
        }
        return try await WriteCondition.$current.withValue(condition) { try await body() }
    }
}
