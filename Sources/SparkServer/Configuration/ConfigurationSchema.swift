import SparkHTTP
public import SparkKit
import SparkStream

/// Every section with its settings: the server's own, and one for each module.
public struct ConfigurationSchema: Sendable {
    /// One section of the configuration.
    public struct Section: Sendable {
        /// The name, as in `section.key`.
        public let name: String
        /// What the section is about, in one line.
        public let summary: String
        /// The keys, in the order of the default file.
        public let settings: [Setting]
        /// What is wrong between values that are valid by themselves.
        let faults: @Sendable (SettingValues) -> [SettingFault]
        /// What is wrong inside the files that settings name.
        let faultsOfFiles: @Sendable (SettingValues) -> [SettingFault]

        init<Configuration: ModuleConfiguration>(_ type: Configuration.Type, name: String, summary: String) {
            self.name = name
            self.summary = summary
            self.settings = type.settings
            self.faults = { Configuration.faults(of: $0) }
            self.faultsOfFiles = { Configuration.faultsOfFiles(of: $0) }
        }
    }

    /// The sections, in the order of the default file.
    public let sections: [Section]
    /// What the compiled-in modules declare.
    let manifests: [ModuleManifest]

    /// The server's sections and those of the given modules.
    public init(modules: [any SparkModule.Type]) {
        self.manifests = modules.map { $0.manifest }
        self.sections =
            [
                Section(ServerConfiguration.self, name: "server", summary: "The process."),
                Section(EdgeConfiguration.self, name: "http", summary: "The HTTP edge."),
                Section(
                    TLSSettings.self, name: "tls", summary: "HTTPS on the public listener; without a certificate it speaks HTTP."),
                Section(OperatorConfiguration.self, name: "operator", summary: "The operators' listener."),
                Section(
                    AdmissionConfiguration.self, name: "limits",
                    summary: "What clients may use at once; spark limits shows what it comes to on this machine."),
                Section(StreamConfiguration.self, name: "stream", summary: "The stream of events to devices."),
                Section(CacheSettings.self, name: "cache", summary: "The cache."),
                Section(BackupConfiguration.self, name: "backup", summary: "Backups; spark backup, restore and drill."),
                Section(ModulesConfiguration.self, name: "modules", summary: "Which modules run."),
            ]
            + modules.map { Self.section(of: $0) }
    }

    private static func section<Module: SparkModule>(of module: Module.Type) -> Section {
        Section(Module.Configuration.self, name: module.manifest.id, summary: module.manifest.summary)
    }

    func section(_ name: String) -> Section? { sections.first { $0.name == name } }

    /// `SPARK_SECTION_KEY`.
    static func environmentName(_ section: String, _ key: String) -> String { "SPARK_\(section)_\(key)".uppercased() }

    /// The annotated default file: every section and key with its meaning, range and default.
    public var defaultFile: String {
        var out = """
            # Spark's configuration, with every key at its default.
            # A flag beats the environment (SPARK_SECTION_KEY, or SPARK_SECTION_KEY_FILE for a file that holds the value),
            # the environment beats this file, this file beats the default.

            """
        for section in sections where !section.settings.isEmpty {
            out += "\n# \(section.summary)\n\(section.name):\n"
            for setting in section.settings {
                out += "  # \(setting.help)\(setting.kind.remark)\n  \(setting.key): \(setting.defaultValue.yaml)\n"
            }
        }
        return out
    }

    /// Every environment variable with its help text.
    public var environment: [(name: String, help: String)] {
        sections.flatMap { section in
            section.settings.map { (Self.environmentName(section.name, $0.key), $0.help) }
        }
    }
}

extension Setting.Kind {
    /// The allowed values, as the default file states them.
    package var remark: String {
        switch self {
        case .integer(let range): " (\(range.lowerBound) to \(range.upperBound))"
        case .number(let range): " (\(range.lowerBound) to \(range.upperBound))"
        case .choice(let words): " (\(words.joined(separator: ", ")))"
        case .boolean, .text, .list: ""
        }
    }
}

extension Setting.Value {
    package var yaml: String {
        switch self {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .text(let value): Self.scalar(value)
        case .list(let values): "[\(values.map(Self.scalar).joined(separator: ", "))]"
        }
    }

    /// The text unquoted where YAML reads it only as a string, otherwise in double quotes.
    private static func scalar(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":")].contains(byte)
        }
        guard text.isEmpty || !isPlain || text.hasPrefix("-") || text.hasSuffix(":") else { return text }
        return "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
}
