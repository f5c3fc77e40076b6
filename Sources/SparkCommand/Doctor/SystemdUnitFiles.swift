import Foundation

/// What the installed unit `spark.service` allows the server (systemd.exec(5)), as far as its files say.
struct SystemdUnitFiles: Equatable {
    private static let places = ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"]
    private static let name = "spark.service"

    /// The value of `ProtectSystem=`; empty if it is not set.
    private(set) var protection = ""
    /// The paths of `ReadWritePaths=` and `BindPaths=`.
    private var granted: [String] = []
    /// The paths of `StateDirectory=`.
    private var state: [String] = []

    /// The folders to which the server may write although the rest of the system is protected.
    var writable: [String] { state + granted }

    /// - Parameter texts: the unit, then its drop-ins in their order.
    init(_ texts: [String]) {
        for line in texts.flatMap({ $0.split(whereSeparator: \.isNewline) }) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let value = parts[1].trimmingCharacters(in: .whitespaces)
            switch parts[0].trimmingCharacters(in: .whitespaces) {
            case "ProtectSystem": protection = value
            // An empty value takes back what was said before.
            case "ReadWritePaths" where value.isEmpty: granted = []
            case "ReadWritePaths", "BindPaths": granted += Self.words(value).map { Self.path($0) }
            case "StateDirectory": state += Self.words(value).map { "/var/lib/\($0)" }
            default: break
            }
        }
    }

    /// Nil where no such unit is installed.
    static func installed() -> SystemdUnitFiles? {
        guard let unit = places.lazy.compactMap({ text("\($0)/\(name)") }).first else { return nil }
        // A drop-in replaces another of the same name in a later place.
        var parts: [String: String] = [:]
        for place in places.reversed() {
            let folder = "\(place)/\(name).d"
            for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where file.hasSuffix(".conf") {
                parts[file] = text("\(folder)/\(file)")
            }
        }
        return SystemdUnitFiles([unit] + parts.sorted { $0.key < $1.key }.map(\.value))
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// Words, of which some are in quotes.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            words += index.isMultiple(of: 2) ? part.split(separator: " ").map(String.init) : [String(part)]
        }
        return words
    }

    /// Without the signs before a path, and what a path is bound to.
    private static func path(_ word: String) -> String {
        let plain = word.drop { $0 == "-" || $0 == "+" }
        return String(plain.hasPrefix("/") ? plain.prefix { $0 != ":" } : plain).replacing("%%", with: "%")
    }
}
