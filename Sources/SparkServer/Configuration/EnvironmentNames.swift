import SparkCore
import SparkKit

/// Decides which environment variables are settings.
///
/// The prefix `SPARK_` is shared: Apache Spark uses it, and Kubernetes sets variables for every service whose name begins with
/// `spark`. Therefore only a name whose next word is one of this server's sections counts as a setting, and a mistake in it is an
/// error. Every other name is ignored.
struct EnvironmentNames {
    enum Meaning {
        /// The name lacks the prefix; it is ignored.
        case other
        /// For Spark's tools and tests, not for the server.
        case reserved
        /// For another program.
        case foreign
        case setting(section: String, Setting)
        /// The name of a file that holds the value.
        case file(section: String, Setting)
        /// A misspelt setting, with the nearest known name.
        case unknown(nearest: String?)
    }

    private static let prefix = "SPARK_"
    private static let fileSuffix = "_FILE"
    private static let reserved: Set<String> = [
        "SPARK_CONFIG", "SPARK_URL", "SPARK_ADMIN_TOKEN", "SPARK_PID", "SPARK_PARENT", "SPARK_JOURNAL_SOCKET",
    ]

    private let known: [String: (section: String, setting: Setting)]
    /// `SPARK_SECTION_`.
    private let sectionPrefixes: [String]

    init(_ schema: ConfigurationSchema) {
        var known: [String: (section: String, setting: Setting)] = [:]
        for section in schema.sections {
            for setting in section.settings {
                known[ConfigurationSchema.environmentName(section.name, setting.key)] = (section.name, setting)
            }
        }
        self.known = known
        self.sectionPrefixes = schema.sections.map { ConfigurationSchema.environmentName($0.name, "") }
    }

    func meaning(of name: String, _ value: String) -> Meaning {
        guard name.hasPrefix(Self.prefix) else { return .other }
        if Self.reserved.contains(name) { return .reserved }
        if Self.isOfKubernetes(name, value) { return .foreign }
        if let (section, setting) = known[name] { return .setting(section: section, setting) }
        let isFile = name.hasSuffix(Self.fileSuffix)
        let plain = isFile ? String(name.dropLast(Self.fileSuffix.count)) : name
        if isFile, let (section, setting) = known[plain] { return .file(section: section, setting) }
        guard sectionPrefixes.contains(where: { name.hasPrefix($0) }) else { return .foreign }
        let nearest = NearestName.of(plain, in: known.keys.sorted())
        return .unknown(nearest: nearest.map { isFile ? $0 + Self.fileSuffix : $0 })
    }

    /// The setting that a foreign name may have been meant for, when its section is misspelt.
    func suggestion(for name: String) -> String? {
        guard let nearest = NearestName.of(name, in: known.keys.sorted()) else { return nil }
        // At most two wrong letters: other programs' names are near by chance beyond that.
        return NearestName.distance(name, nearest) <= 2 ? nearest : nil
    }

    /// Whether Kubernetes sets this variable for a service (`kubectl explain pod.spec.enableServiceLinks`): NAME_SERVICE_HOST,
    /// NAME_SERVICE_PORT, NAME_SERVICE_PORT_PORTNAME, NAME_PORT=tcp://…, NAME_PORT_80_TCP, NAME_PORT_80_TCP_PROTO, _PORT, _ADDR.
    private static func isOfKubernetes(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") { return true }
        let protocols = ["tcp", "udp", "sctp"]
        if name.hasSuffix("_PORT"), protocols.contains(where: { value.hasPrefix("\($0)://") }) { return true }
        var words = name.split(separator: "_")
        if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last), words.count > 4 { words.removeLast() }
        guard words.count >= 4, let transport = words.popLast(), let number = words.popLast(), words.popLast() == "PORT" else {
            return false
        }
        return protocols.contains(transport.lowercased()) && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
