import NIOPosix
import SparkFiles

/// Why the file of a setting cannot be used.
struct FileFault: Error, Hashable {
    let setting: String
    let reason: String

    var words: String { "\(setting): \(reason)" }
}

/// A small file named by a setting, read outside of the cooperative pool. It is read again after a fault, so that the operator
/// can fix it without a restart.
struct ProviderFile: Sendable {
    static let largest = 65_536

    let setting: String
    let path: String

    func text() async throws -> String {
        let (setting, path) = (setting, path)
        return try await NIOThreadPool.singleton.runIfActive {
            let bytes: [UInt8]
            do throws(NamedFile.Refusal) {
                bytes = try NamedFile.contents(of: path, atMost: Self.largest)
            } catch {
                throw FileFault(setting: setting, reason: "the file cannot be read: \(error)")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw FileFault(setting: setting, reason: "the file is not UTF-8 text")
            }
            return text
        }
    }

    func fault(_ reason: String) -> FileFault { FileFault(setting: setting, reason: reason) }
}
