import Foundation
public import SparkKit

/// Every fault of the configuration at once, for the operator.
public struct ConfigurationError: Error, CustomStringConvertible {
    /// One sentence per fault.
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

    /// - Parameters:
    ///   - flags: `section.key=value`; later ones win.
    ///   - ownFlags: flags with names of their own; they win over `flags`.
    ///   - environment: the process's environment.
    ///   - file: the text of `spark.yaml`, and its path for messages; nil if there is none.
    /// - Throws: `ConfigurationError` with every unknown key (and the nearest name), wrong type and value out of range.
    public init(
        schema: ConfigurationSchema, flags: [String] = [], ownFlags: [SettingFlag] = [], environment: [String: String] = [:],
        file: (path: String, text: String)? = nil
    ) throws {
        var reader = ConfigurationReader(schema: schema)
        if let file { reader.read(yaml: file.text, path: file.path) }
        reader.read(environment: environment)
        for flag in flags { reader.read(flag: flag) }
        for flag in ownFlags { reader.read(flag: flag.setting, name: flag.name) }
        guard reader.faults.isEmpty else { throw ConfigurationError(faults: reader.faults) }
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
