import Crypto
import Foundation
import NIOPosix
import SparkFiles

/// A few bytes that survive a restart, sealed with a key of the server (AES-GCM), in a file readable only by its user. They can
/// be made again, so errors of the disk are ignored.
struct SealedFile: Sendable {
    let path: String
    let key: SymmetricKey

    /// Nil when there is no file, or it was sealed with another key.
    func read() async -> [UInt8]? {
        let (path, key) = (path, key)
        return try? await NIOThreadPool.singleton.runIfActive {
            guard let data = FileManager.default.contents(atPath: path), data.count <= ProviderFile.largest else { return nil }
            return try Array(AES.GCM.open(AES.GCM.SealedBox(combined: data), using: key))
        }
    }

    /// Replaces the file as a whole.
    func write(_ bytes: [UInt8]) async {
        let (path, key) = (path, key)
        try? await NIOThreadPool.singleton.runIfActive {
            guard let sealed = try AES.GCM.seal(bytes, using: key).combined else { return }
            try DurableFile.replace(path, with: Array(sealed))
        }
    }
}
