import SparkCore
package import SparkKit

/// Every frame of the stream's interface, the gateway's own frames first. Constant before the first connection.
package struct FrameTable: Sendable {
    /// The frames that clients send.
    package let clientFrames: [ClientFrame]
    /// The frames that the server sends.
    package let serverFrames: [ServerFrame]
    private let clientByType: [String: ClientFrame]
    private let renderByType: [String: ServerFrame.Render]

    /// - Parameter client, server: the modules' frames, with distinct types.
    package init(client: [ClientFrame], server: [ServerFrame]) {
        self.clientFrames = SessionFrames.client + client
        self.serverFrames = SessionFrames.server + server
        self.clientByType = Dictionary(client.map { ($0.type, $0) }) { first, _ in first }
        self.renderByType = Dictionary(server.compactMap { row in row.render.map { (row.type, $0) } }) { first, _ in first }
    }

    /// The module's row for a frame type; nil for the gateway's own frames.
    func clientFrame(_ type: String) -> ClientFrame? { clientByType[type] }
    /// The schema of any numbered frame.
    var numbered: Schema {
        Schema.anyOf(serverFrames.filter(\.isNumbered).map { $0.schema.schema.named($0.schema.name) })
            .named("NumberedFrame", "An event of the stream.")
    }

    func render(_ type: String) -> ServerFrame.Render? { renderByType[type] }
}
