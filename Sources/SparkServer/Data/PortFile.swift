import Foundation
import SparkCore
import SparkFiles

extension DataDirectory {
    /// Writes `spark.port.json`: the running server's addresses and process id. Replaced atomically, removed by a clean stop.
    func writePortFile(_ listening: Listening) {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("url", listening.url)
            writer.field("port", listening.port)
            if let url = listening.operatorURL { writer.field("operator_url", url) }
            // Only an ephemeral server has this token, which dies with it; only its owner can read the directory.
            if let token = listening.adminToken { writer.field("admin_token", token) }
            writer.field("pid", Int(ProcessInfo.processInfo.processIdentifier))
        }
        // Best effort: a convenience for `spark health` and scripts.
        try? DurableFile.replace(portFile.path, with: writer.bytes, isLasting: !isTemporary)
    }
}
