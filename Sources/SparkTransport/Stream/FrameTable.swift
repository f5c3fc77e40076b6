package import SparkKit

/// Every row of the stream's interface, the gateway's own first. Frozen before anything connects.
package struct FrameTable: Sendable {
    package let clientFrames: [ClientFrame]
    package let serverFrames: [ServerFrame]
    private let clientByType: [String: ClientFrame]
    private let renderByType: [String: ServerFrame.Render]

    /// - Parameter client, server: the modules' rows, free of clashes.
    package init(client: [ClientFrame], server: [ServerFrame]) {
        self.clientFrames = SessionFrames.client + client
        self.serverFrames = SessionFrames.server + server
        self.clientByType = Dictionary(client.map { ($0.type, $0) }) { first, _ in first }
        self.renderByType = Dictionary(server.compactMap { row in row.render.map { (row.type, $0) } }) { first, _ in first }
    }

    /// A module's row; the gateway's own frames are not among them.
    func clientFrame(_ type: String) -> ClientFrame? { clientByType[type] }
    func render(_ type: String) -> ServerFrame.Render? { renderByType[type] }
}
