import Foundation

/// The operators' pages, for messages.
enum Handbook {
    /// Where the package puts the folder `docs`.
    static let folder = "/usr/share/doc/spark"

    /// A page: its path on this machine if the package installed it, otherwise its path in the sources.
    static func page(_ name: String) -> String {
        let path = "docs/operating/\(name)"
        let installed = "\(folder)/\(path)"
        return FileManager.default.fileExists(atPath: installed) ? installed : path
    }
}
