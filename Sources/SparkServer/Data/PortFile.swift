import Foundation
import SparkCore
import SparkFiles

extension DataDirectory {
    /// Writes `spark.port.json`: where the running server listens and which process it is. Replaced in one step, gone after a clean stop.
    func writePortFile(_ listening: Listening) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("url", listening.url)
            writer.field("port", listening.port)
            if let url = listening.operatorURL { writer.field("operator_url", url) }
            // Of an ephemeral server, which dies with it; the directory is its owner's alone.
            if let token = listening.adminToken { writer.field("admin_token", token) }
            writer.field("pid", Int(ProcessInfo.processInfo.processIdentifier))
        }
        // Best effort: a convenience for `spark health` and scripts.
        try? DurableFile.replace(portFile.path, with: writer.bytes, isLasting: !isTemporary)
    }
}
