/// One key of a configuration section, with all that is known of it: kind, range, default and meaning.
public struct Setting: Sendable {
    public enum Kind: Hashable, Sendable {
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case boolean
        case text
        case choice([String])
        case list
    }

    public enum Value: Hashable, Sendable {
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        case text(String)
        case list([String])
    }

    /// Lower-case words joined by `_`; ends in its unit.
    public let key: String
    public let kind: Kind
    public let defaultValue: Value
    public let help: String
    /// Never printed; `…_FILE` names a file that holds it.
    public let isSecret: Bool
    /// What is wrong with a value that has the right kind and range; nil when nothing is. Asked before the server starts.
    public let fault: @Sendable (Value) -> String?

    private init(
        key: String, kind: Kind, defaultValue: Value, help: String, isSecret: Bool,
        fault: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.key = key
        self.kind = kind
        self.defaultValue = defaultValue
        self.help = help
        self.isSecret = isSecret
        self.fault = fault
    }

    public static func integer(_ key: String, _ range: ClosedRange<Int>, default value: Int, _ help: String) -> Setting {
        Setting(key: key, kind: .integer(range), defaultValue: .integer(value), help: help, isSecret: false)
    }

    public static func number(_ key: String, _ range: ClosedRange<Double>, default value: Double, _ help: String) -> Setting {
        Setting(key: key, kind: .number(range), defaultValue: .number(value), help: help, isSecret: false)
    }

    public static func boolean(_ key: String, default value: Bool, _ help: String) -> Setting {
        Setting(key: key, kind: .boolean, defaultValue: .boolean(value), help: help, isSecret: false)
    }

    /// - Parameter fault: what is wrong with a text, said so that an operator can mend it; nil when nothing is.
    public static func text(
        _ key: String, default value: String, _ help: String, isSecret: Bool = false,
        fault: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Setting {
        Setting(key: key, kind: .text, defaultValue: .text(value), help: help, isSecret: isSecret) {
            if case .text(let text) = $0 { fault(text) } else { nil }
        }
    }

    public static func choice(_ key: String, _ words: [String], default value: String, _ help: String) -> Setting {
        Setting(key: key, kind: .choice(words), defaultValue: .text(value), help: help, isSecret: false)
    }

    /// - Parameter fault: what is wrong with one item, said so that an operator can mend it; nil when nothing is.
    public static func list(
        _ key: String, default value: [String], _ help: String, fault: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Setting {
        Setting(key: key, kind: .list, defaultValue: .list(value), help: help, isSecret: false) {
            guard case .list(let items) = $0 else { return nil }
            return items.lazy.compactMap { item in fault(item).map { "\(item): \($0)" } }.first
        }
    }
}

/// The settings of one section, each present, of its declared kind and within its range.
public struct SettingValues: Sendable {
    private let values: [String: Setting.Value]

    package init(_ values: [String: Setting.Value]) { self.values = values }

    /// All defaults; for tests and for embedders.
    public init(defaultsOf settings: [Setting], _ changes: [String: Setting.Value] = [:]) {
        var values = Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.defaultValue) })
        values.merge(changes) { $1 }
        self.values = values
    }

    /// The value of a key; nil when none of that name is declared.
    public func value(_ key: String) -> Setting.Value? { values[key] }

    public func integer(_ key: String) -> Int {
        guard case .integer(let value) = values[key] else { preconditionFailure("no whole number is declared as \(key)") }
        return value
    }

    public func number(_ key: String) -> Double {
        guard case .number(let value) = values[key] else { preconditionFailure("no number is declared as \(key)") }
        return value
    }

    public func boolean(_ key: String) -> Bool {
        guard case .boolean(let value) = values[key] else { preconditionFailure("no boolean is declared as \(key)") }
        return value
    }

    public func text(_ key: String) -> String {
        guard case .text(let value) = values[key] else { preconditionFailure("no text is declared as \(key)") }
        return value
    }

    public func list(_ key: String) -> [String] {
        guard case .list(let value) = values[key] else { preconditionFailure("no list is declared as \(key)") }
        return value
    }

    /// A whole number of seconds.
    public func seconds(_ key: String) -> Duration { .seconds(integer(key)) }
}

/// One section of the configuration.
public protocol ModuleConfiguration: Sendable {
    static var settings: [Setting] { get }
    /// The values are complete and valid; nothing is left to refuse.
    init(_ values: SettingValues)
}

extension ModuleConfiguration {
    /// All defaults.
    public static var defaults: Self { Self(SettingValues(defaultsOf: settings)) }
}

/// For modules with nothing to set.
public struct NoConfiguration: ModuleConfiguration {
    public static let settings: [Setting] = []
    public init(_ values: SettingValues) {}
}
