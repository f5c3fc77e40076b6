import SparkCore
import SparkKit

/// Cuts the sockets of people for the fault `stream.drop`: at once if they are connected, and otherwise when they connect.
struct StreamCutter: ConnectionObserving {
    let hooks: FixtureHooks
    let stream: any EventStreaming

    /// Uses the fault once if the person is connected.
    /// - Returns: whether a connection was cut.
    func cutNow(_ user: UserID) -> Bool { stream.isConnected(user) && cut(user) }

    func connected(_ connection: any StreamConnection, isBackground: Bool) { _ = cut(connection.principal.user) }

    func disconnected(_ connection: any StreamConnection, wasLast: Bool) {}

    private func cut(_ user: UserID) -> Bool {
        guard let server = hooks.server, hooks.faults.use(.streamDrop, where: { $0.user == user }) != nil else { return false }
        return server.cutStreams(of: user)
    }
}
