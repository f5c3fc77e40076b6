import Glibc
import SparkCore
import SparkFiles

/// Runs a drill apart from the server.
public protocol DrillRunning: Sendable {
    /// Runs one drill to its end, which notes the result in the data directory. Cancelling the task ends it early.
    /// - Returns: the exit code, or minus the signal that ended it.
    /// - Throws: when it could not be started.
    func run() async throws -> Int32
}

/// Runs `spark drill` as a process of its own: whatever a damaged backup does to it, and whatever memory it needs, the server goes on.
public struct DrillProcess: DrillRunning {
    /// A drill that takes longer is ended.
    private static let longest = Duration.hours(12)
    /// How long a drill that is asked to end may clean up.
    private static let patience = Duration.seconds(2)

    private let program: String
    private let arguments: [String]

    /// - Parameters:
    ///   - program: the path of `spark`.
    ///   - arguments: the verb and its flags.
    public init(program: String, arguments: [String]) { (self.program, self.arguments) = (program, arguments) }

    public func run() async throws -> Int32 {
        let (program, arguments) = (program, arguments)
        let child = try await OwnThread.run { try ChildProgram(program, arguments, followsParent: true) }
        let limit = Task {
            try await Task.sleep(for: Self.longest)
            child.signal(SIGKILL)
        }
        defer { limit.cancel() }
        return await withTaskCancellationHandler {
            await child.end()
        } onCancel: {
            child.signal(SIGTERM)
            Task.detached {
                try? await Task.sleep(for: Self.patience)
                child.signal(SIGKILL)
            }
        }
    }
}
