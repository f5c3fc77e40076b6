import Foundation
public import SparkKit

/// Every fault of the configuration at once, for the operator.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// One sentence per fault; further lines show its place.
    public let faults: [String]

    /// An error with these faults.
    public init(faults: [String]) { self.faults = faults }

    /// All faults, one per line.
    public var description: String { faults.joined(separator: "\n") }
}

/// A setting that has its own command-line flag.
public struct SettingFlag: Sendable {
    /// The flag as the operator writes it: `--listen`.
    public let name: String
    /// The setting as `section.key=value`.
    public let setting: String

    /// A flag and its setting.
    public init(_ name: String, _ setting: String) {
        self.name = name
        self.setting = setting
    }
}

/// Every setting of every section, from flag, environment, file or default, in that order.
public struct LoadedConfiguration: Sendable {
    private let sections: [String: SettingValues]
    /// The source of each value that is not a default, by `section.key`.
    public let origins: [String: String]

    /// The settings, as `section.key`, whose values are never printed.
    private let secrets: Set<String>

    /// Notes for the operator that are not faults: one line each.
    public let notes: [String]

    private let schema: ConfigurationSchema

    /// - Parameters:
    ///   - flags: `section.key=value`; later ones win.
    ///   - ownFlags: flags with names of their own; they win over `flags`.
    ///   - environment: the process's environment.
    ///   - file: the text of `spark.yaml`, and its path for messages; nil if there is none.
    ///   - surroundings: the machine and the kind of server that the settings are for; nil when they are those of another
    ///     process, so that neither the machine nor files are looked at.
    /// - Throws: `ConfigurationError` with every unknown key (and the nearest name), wrong type, value out of range, and values
    ///   that do not fit each other or the surroundings. A server with a configuration that is not refused here finds nothing
    ///   else to refuse before it opens its data and its sockets.
    public init(
        schema: ConfigurationSchema, flags: [String] = [], ownFlags: [SettingFlag] = [], environment: [String: String] = [:],
        file: (path: String, text: String)? = nil, surroundings: ConfigurationSurroundings? = nil
    ) throws {
        var reader = ConfigurationReader(schema: schema)
        if let file { reader.read(yaml: file.text, path: file.path) }
        reader.read(environment: environment)
        for flag in flags { reader.read(flag: flag) }
        for flag in ownFlags { reader.read(flag: flag.setting, name: flag.name) }
        self.schema = schema
        self.sections = Dictionary(
            uniqueKeysWithValues: schema.sections.map { section in
                (section.name, SettingValues(defaultsOf: section.settings, reader.values[section.name] ?? [:]))
            })
        self.origins = reader.origins
        self.secrets = Set(
            schema.sections.flatMap { section in
                section.settings.filter(\.isSecret).map { "\(section.name).\($0.key)" }
            })
        self.notes = reader.notes
        // Where a value was refused, what it does not fit is unknown.
        let others = faults(in: surroundings).filter { $0.keys.allSatisfy { !reader.refused.contains($0) } }
        let all = reader.faults + others.map(sentence)
        guard all.isEmpty else { throw ConfigurationError(faults: all) }
    }

    /// Every setting at its default, for a look at a machine whose configuration is refused.
    /// - Parameter data: the data directory; nil for the default.
    package init(defaultsOf schema: ConfigurationSchema, data: String?) {
        self.schema = schema
        self.sections = Dictionary(
            uniqueKeysWithValues: schema.sections.map { section in
                let isServer = section.name == "server"
                return (
                    section.name,
                    SettingValues(defaultsOf: section.settings, isServer ? data.map { ["data": .text($0)] } ?? [:] : [:])
                )
            })
        self.origins = [:]
        self.secrets = []
        self.notes = []
    }

    /// What is wrong between values that are valid by themselves, and between them and the surroundings.
    private func faults(in surroundings: ConfigurationSurroundings?) -> [SettingFault] {
        let check = ConfigurationCheck(configuration: self, schema: schema)
        return check.faults + (surroundings.map { check.faults(in: $0) } ?? [])
    }

    /// Checks the configuration against a machine and the files it names, for code that loaded it without.
    /// - Throws: `ConfigurationError`.
    func check(in surroundings: ConfigurationSurroundings) throws {
        let faults = ConfigurationCheck(configuration: self, schema: schema).faults(in: surroundings)
        guard faults.isEmpty else { throw ConfigurationError(faults: faults.map(sentence)) }
    }

    /// What an operator should know about the machine and the files, one line each. Looks at the disk.
    public func notes(in surroundings: ConfigurationSurroundings) -> [String] {
        notes + ConfigurationCheck(configuration: self, schema: schema).notes(in: surroundings)
    }

    /// The place where a setting was set, its key, and the reason: blames a setting that was set rather than a default.
    private func sentence(_ fault: SettingFault) -> String {
        let key = fault.keys.first { origins[$0] != nil } ?? fault.keys.first ?? ""
        let reason = ([fault.reason] + fault.lines).joined(separator: "\n")
        guard let origin = origins[key] else { return "\(key): \(reason)" }
        return "\(origin.contains(key) ? origin : "\(origin) (\(key))"): \(reason)"
    }

    /// The values of a section; its defaults if the schema does not have it.
    func values(_ section: ConfigurationSchema.Section) -> SettingValues {
        sections[section.name] ?? SettingValues(defaultsOf: section.settings)
    }

    /// The value of a key without its section's type; nil when no module declares the key.
    public func value(_ section: String, _ key: String) -> Setting.Value? { sections[section]?.value(key) }

    /// The value of `section.key` in YAML; `***` for a secret, nil when no module declares the key.
    public func shown(_ name: String) -> String? {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, let value = value(parts[0], parts[1]) else { return nil }
        guard secrets.contains(name) else { return value.yaml }
        return value == .text("") ? value.yaml : "***"
    }

    /// The value of a text setting; nil for any other.
    func text(_ section: String, _ key: String) -> String? {
        guard case .text(let text) = value(section, key) else { return nil }
        return text
    }

    /// A section as its type.
    public func section<Section: ModuleConfiguration>(_ name: String, as type: Section.Type = Section.self) -> Section {
        Section(sections[name] ?? SettingValues(defaultsOf: Section.settings))
    }
}
