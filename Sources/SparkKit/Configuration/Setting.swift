/// One key of a configuration section: its kind, range, default and meaning.
public struct Setting: Sendable {
    /// The type of a value and its range.
    public enum Kind: Hashable, Sendable {
        /// An integer in a range.
        case integer(ClosedRange<Int>)
        /// A number in a range.
        case number(ClosedRange<Double>)
        /// True or false.
        case boolean
        /// Any text.
        case text
        /// One of several words.
        case choice([String])
        /// A list of texts.
        case list
    }

    /// A value of a setting.
    public enum Value: Hashable, Sendable {
        /// The value of an integer setting.
        case integer(Int)
        /// The value of a number setting.
        case number(Double)
        /// The value of a boolean setting.
        case boolean(Bool)
        /// The value of a text or choice setting.
        case text(String)
        /// The value of a list setting.
        case list([String])
    }

    /// Lower-case words joined by `_`. A key that holds a quantity ends in its unit.
    public let key: String
    /// The type and range of the value.
    public let kind: Kind
    /// The value without configuration.
    public let defaultValue: Value
    /// One sentence for the documentation.
    public let help: String
    /// True for secrets: the value is never printed, and `…_FILE` can name a file that holds it.
    public let isSecret: Bool
    /// For a text that is the path of a file which the server reads: the longest accepted file, in bytes. Nil for everything else.
    public let longestFile: Int?
    /// Describes what is wrong with a value of the right kind and range; nil if it is valid. Runs before the server starts.
    public let fault: @Sendable (Value) -> String?

    private init(
        key: String, kind: Kind, defaultValue: Value, help: String, isSecret: Bool, longestFile: Int? = nil,
        fault: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.key = key
        self.kind = kind
        self.defaultValue = defaultValue
        self.help = help
        self.isSecret = isSecret
        self.longestFile = longestFile
        self.fault = fault
    }

    /// An integer within a range.
    public static func integer(_ key: String, _ range: ClosedRange<Int>, default value: Int, _ help: String) -> Setting {
        Setting(key: key, kind: .integer(range), defaultValue: .integer(value), help: help, isSecret: false)
    }

    /// A number within a range.
    public static func number(_ key: String, _ range: ClosedRange<Double>, default value: Double, _ help: String) -> Setting {
        Setting(key: key, kind: .number(range), defaultValue: .number(value), help: help, isSecret: false)
    }

    /// True or false.
    public static func boolean(_ key: String, default value: Bool, _ help: String) -> Setting {
        Setting(key: key, kind: .boolean, defaultValue: .boolean(value), help: help, isSecret: false)
    }

    /// A text.
    /// - Parameter fault: Describes what is wrong with a text, so that an operator can correct it; nil if it is valid.
    public static func text(
        _ key: String, default value: String, _ help: String, isSecret: Bool = false,
        fault: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Setting {
        Setting(key: key, kind: .text, defaultValue: .text(value), help: help, isSecret: isSecret) {
            if case .text(let text) = $0 { fault(text) } else { nil }
        }
    }

    /// The path of a file that the server reads; empty for none.
    ///
    /// What exists at the path must be a regular file of at most `longest` bytes, or the server does not start. A file that is
    /// missing is noted: it may appear later.
    public static func file(_ key: String, atMost longest: Int, _ help: String) -> Setting {
        Setting(key: key, kind: .text, defaultValue: .text(""), help: help, isSecret: false, longestFile: longest)
    }

    /// One of several words.
    public static func choice(_ key: String, _ words: [String], default value: String, _ help: String) -> Setting {
        Setting(key: key, kind: .choice(words), defaultValue: .text(value), help: help, isSecret: false)
    }

    /// A list of texts.
    /// - Parameter fault: Describes what is wrong with one item, so that an operator can correct it; nil if it is valid.
    public static func list(
        _ key: String, default value: [String], _ help: String, fault: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Setting {
        Setting(key: key, kind: .list, defaultValue: .list(value), help: help, isSecret: false) {
            guard case .list(let items) = $0 else { return nil }
            return items.lazy.compactMap { item in fault(item).map { "\(item): \($0)" } }.first
        }
    }
}

/// The values of one section. Every declared key has a value of its kind and within its range.
public struct SettingValues: Sendable {
    private let values: [String: Setting.Value]

    package init(_ values: [String: Setting.Value]) { self.values = values }

    /// The defaults with some changes, for tests and embedded servers.
    public init(defaultsOf settings: [Setting], _ changes: [String: Setting.Value] = [:]) {
        var values = Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.defaultValue) })
        values.merge(changes) { $1 }
        self.values = values
    }

    /// The value of a key; nil if the section does not declare it.
    public func value(_ key: String) -> Setting.Value? { values[key] }

    /// The value of an integer setting. Traps if the section declares no such setting.
    public func integer(_ key: String) -> Int {
        guard case .integer(let value) = values[key] else { preconditionFailure("no whole number is declared as \(key)") }
        return value
    }

    /// The value of a number setting. Traps if the section declares no such setting.
    public func number(_ key: String) -> Double {
        guard case .number(let value) = values[key] else { preconditionFailure("no number is declared as \(key)") }
        return value
    }

    /// The value of a boolean setting. Traps if the section declares no such setting.
    public func boolean(_ key: String) -> Bool {
        guard case .boolean(let value) = values[key] else { preconditionFailure("no boolean is declared as \(key)") }
        return value
    }

    /// The value of a text or choice setting. Traps if the section declares no such setting.
    public func text(_ key: String) -> String {
        guard case .text(let value) = values[key] else { preconditionFailure("no text is declared as \(key)") }
        return value
    }

    /// The value of a list setting. Traps if the section declares no such setting.
    public func list(_ key: String) -> [String] {
        guard case .list(let value) = values[key] else { preconditionFailure("no list is declared as \(key)") }
        return value
    }

    /// An integer setting that counts seconds. Traps if the section declares no such setting.
    public func seconds(_ key: String) -> Duration { .seconds(integer(key)) }
}

/// One section of the configuration: the settings that it declares and the values that a module reads.
public protocol ModuleConfiguration: Sendable {
    /// Every setting of the section.
    static var settings: [Setting] { get }
    /// Reads the values. They are complete and valid, so there is nothing to refuse.
    init(_ values: SettingValues)
    /// What is wrong between the values of several settings, each of which is valid by itself. Reads no file.
    static func faults(of values: SettingValues) -> [SettingFault]
    /// What is wrong inside the files that settings name. Called only for regular files of acceptable length.
    static func faultsOfFiles(of values: SettingValues) -> [SettingFault]
}

/// What is wrong with the value of a setting, beside other settings or the machine.
public struct SettingFault: Hashable, Sendable {
    /// The settings that do not fit together, the one that most likely is to be changed first. From a module: keys of its section;
    /// otherwise `section.key`.
    public let keys: [String]
    /// The given values and what would be right. Never a secret.
    public let reason: String
    /// Further lines that show the place, such as an expression and a mark below it.
    package let lines: [String]

    /// A fault of some settings.
    public init(_ keys: String..., reason: String) { self.init(keys: keys, reason: reason) }

    package init(keys: [String], reason: String, lines: [String] = []) {
        self.keys = keys
        self.reason = reason
        self.lines = lines
    }
}

extension ModuleConfiguration {
    /// Nothing is wrong.
    public static func faults(of values: SettingValues) -> [SettingFault] { [] }
    /// Nothing is wrong.
    public static func faultsOfFiles(of values: SettingValues) -> [SettingFault] { [] }

    /// The configuration with all defaults.
    public static var defaults: Self { Self(SettingValues(defaultsOf: settings)) }
}

/// The configuration of a module without settings.
public struct NoConfiguration: ModuleConfiguration {
    /// Empty.
    public static let settings: [Setting] = []
    /// Reads nothing.
    public init(_ values: SettingValues) {}
}
