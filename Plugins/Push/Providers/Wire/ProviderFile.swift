import Foundation
import NIOPosix

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
            guard let handle = FileHandle(forReadingAtPath: path) else {
                throw FileFault(setting: setting, reason: "the file is missing or not readable")
            }
            defer { try? handle.close() }
            guard let data = try? handle.read(upToCount: Self.largest + 1) else {
                throw FileFault(setting: setting, reason: "the file is not readable")
            }
            guard data.count <= Self.largest, let text = String(validating: data, as: UTF8.self) else {
                throw FileFault(setting: setting, reason: "the file is not a text of at most 64 KiB")
            }
            return text
        }
    }

    func fault(_ reason: String) -> FileFault { FileFault(setting: setting, reason: reason) }
}
