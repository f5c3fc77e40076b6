import Foundation
import Glibc
import Spark
import SparkFiles
import Synchronization

/// Finds and reads the configuration file of a verb.
enum SettingsFile {
    /// The file of the package.
    static let ofPackage = "/etc/spark/spark.yaml"
    /// The variable that names the file, as `--config` does.
    static let variable = "SPARK_CONFIG"
    private static let ofFolder = "spark.yaml"
    private static let dataOfFolder = "spark_data"

    /// The longest configuration file, in bytes.
    private static let longest = 1 << 20

    /// What was read before the process gave up the rights of root, by path.
    private static let texts = Mutex<[String: String]>([:])

    /// The file that is used without `--config`, found once: the user, and with them what can be seen, may change.
    private static let inherited = (any: look(mayUsePackage: true), own: look(mayUsePackage: false))

    private static func look(mayUsePackage: Bool) -> String? {
        path(
            named: nil, environment: ProcessInfo.processInfo.environment, mayUsePackage: mayUsePackage,
            canRead: { access($0, R_OK) == 0 }, exists: { FileManager.default.fileExists(atPath: $0) })
    }

    /// The file for a verb; nil for none.
    /// - Parameters:
    ///   - named: the file of `--config`.
    ///   - mayUsePackage: false for a verb that makes a data directory.
    static func path(named: String?, mayUsePackage: Bool) -> String? { named ?? (mayUsePackage ? inherited.any : inherited.own) }

    /// The same, from the facts: `--config`, the variable, the working directory, and the package's file where nothing in the working
    /// directory is meant. A verb that makes data never takes the package's: it would work on the package's data.
    static func path(
        named: String?, environment: [String: String], mayUsePackage: Bool, canRead: (String) -> Bool, exists: (String) -> Bool
    ) -> String? {
        if let named { return named }
        if let path = environment[variable], !path.isEmpty { return path }
        if exists(ofFolder) { return ofFolder }
        guard mayUsePackage, !exists(dataOfFolder), canRead(ofPackage) else { return nil }
        return ofPackage
    }

    /// Whether the package's file would be used if this user could read it.
    static func isHidden(named: String?) -> Bool {
        path(named: named, mayUsePackage: true) == nil && !FileManager.default.fileExists(atPath: dataOfFolder)
            && FileManager.default.fileExists(atPath: ofPackage)
    }

    /// Reads the file.
    /// - Throws: `StorageOpenError`, or `ConfigurationError` for what is no text.
    static func text(of path: String) throws -> String {
        if let known = texts.withLock({ $0[path] }) { return known }
        let bytes: [UInt8]
        do throws(NamedFile.Refusal) {
            bytes = try NamedFile.contents(of: path, atMost: longest)
        } catch {
            let shown = NamedFile.absolute(String(path.prefix(256)))
            throw StorageOpenError(operation: "read configuration", path: Display.text(shown), hint: "\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(faults: ["\(path):\(lineOfBrokenText(Data(bytes))): the line is not UTF-8 text"])
        }
        if geteuid() == 0 { texts.withLock { $0[path] = text } }
        return text
    }

    private static func lineOfBrokenText(_ bytes: Data) -> Int {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        return (lines.firstIndex { String(data: $0, encoding: .utf8) == nil } ?? 0) + 1
    }
}
