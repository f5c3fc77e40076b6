import Crypto
import Foundation
import NIOPosix
import SparkFiles

/// A few bytes that outlive a restart, sealed with a key of the server (AES-GCM) and readable by its user only. Losing them costs
/// nothing but the making of new ones, so trouble with the disk is no trouble here.
struct SealedFile: Sendable {
    let path: String
    let key: SymmetricKey

    /// Nil when there is none, or none of this server.
    func read() async -> [UInt8]? {
        let (path, key) = (path, key)
        return try? await NIOThreadPool.singleton.runIfActive {
            guard let data = FileManager.default.contents(atPath: path), data.count <= ProviderFile.largest else { return nil }
            return try Array(AES.GCM.open(AES.GCM.SealedBox(combined: data), using: key))
        }
    }

    /// Replaces it as a whole.
    func write(_ bytes: [UInt8]) async {
        let (path, key) = (path, key)
        try? await NIOThreadPool.singleton.runIfActive {
            guard let sealed = try AES.GCM.seal(bytes, using: key).combined else { return }
            try DurableFile.replace(path, with: Array(sealed))
        }
    }
}
