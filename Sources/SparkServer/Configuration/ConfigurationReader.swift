import Foundation
import SparkCore
import SparkFiles
import SparkKit
import Yams

/// Collects values and faults from the three sources: flags, environment and file.
struct ConfigurationReader {
    let schema: ConfigurationSchema
    private(set) var values: [String: [String: Setting.Value]] = [:]
    private(set) var origins: [String: String] = [:]
    private(set) var faults: [String] = []
    /// The settings, as `section.key`, of which some value was refused.
    private(set) var refused: Set<String> = []
    /// Variables that begin with SPARK_ and belong to other programs.
    private(set) var foreignVariables: [String] = []

    /// The longest text of a setting, in bytes; longer than any path or address.
    private static let longestText = 4_096
    /// The most items of a list.
    private static let mostItems = 1_024
    /// The longest file that a variable `…_FILE` names, in bytes.
    private static let longestFile = 65_536

    init(schema: ConfigurationSchema) { self.schema = schema }

    /// What was ignored, and why.
    var notes: [String] {
        guard !foreignVariables.isEmpty else { return [] }
        let variables = EnvironmentNames(schema)
        let names = foreignVariables.map { name in
            variables.suggestion(for: name).map { "\(name) (did you mean \($0)?)" } ?? name
        }
        return ["environment variables that are not this server's are ignored: \(names.joined(separator: ", "))"]
    }

    /// - Parameter name: the flag as the operator wrote it, if it was not `--set`.
    mutating func read(flag: String, name: String? = nil) {
        let parts = flag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].split(separator: ".", maxSplits: 1).map(String.init)
        // What comes after a name without "=" may be a secret.
        let place = name ?? "--set \(GivenValue.name(parts[0]))"
        guard parts.count == 2, path.count == 2 else {
            faults.append("\(place): expected section.key=value")
            return
        }
        guard let setting = setting(path[0], path[1], at: place) else { return }
        store(setting, section: path[0], text: String(parts[1]), origin: place)
    }

    mutating func read(environment: [String: String]) {
        let variables = EnvironmentNames(schema)
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) {
            switch variables.meaning(of: name, text) {
            case .foreign: foreignVariables.append(GivenValue.name(name))
            case .reserved, .other: break
            case .setting(let section, let setting): store(setting, section: section, text: text, origin: name)
            case .file(let section, let setting):
                read(file: text, of: setting, section: section, name: name, in: environment)
            case .unknown(let nearest):
                let hint = nearest.map { "; did you mean \($0)?" } ?? ""
                faults.append("\(GivenValue.name(name)): unknown environment variable\(hint)")
            }
        }
    }

    private mutating func read(
        file path: String, of setting: Setting, section: String, name: String, in environment: [String: String]
    ) {
        let plain = ConfigurationSchema.environmentName(section, setting.key)
        guard environment[plain] == nil else {
            faults.append("\(name): \(plain) is set as well; leave out one of them")
            refused.insert("\(section).\(setting.key)")
            return
        }
        do throws(NamedFile.Refusal) {
            let bytes = try NamedFile.contents(of: path, atMost: Self.longestFile)
            guard let content = String(validating: bytes, as: UTF8.self) else {
                return refuse(setting, section, name, "the file \(GivenValue.quoted(path)) is not UTF-8 text")
            }
            store(setting, section: section, text: content.trimmingCharacters(in: .newlines), origin: name)
        } catch {
            refuse(setting, section, name, "the file \(GivenValue.file(path)) cannot be read: \(error)")
        }
    }

    mutating func read(yaml: String, path: String) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            faults.append(YAMLFault(error, in: yaml).text(path))
            return
        }
        guard let root, root != Node("", Tag(.null)) else { return }
        guard let mapping = root.mapping else {
            let line = root.mark?.line ?? 1
            faults.append(
                "\(path):\(line): sections are expected at the top, as in \"http:\" with \"  listen: 127.0.0.1:7775\" below it")
            return
        }
        for (sectionNode, content) in mapping {
            let name = sectionNode.string ?? ""
            let place = "\(path):\(sectionNode.mark?.line ?? 0): \(GivenValue.name(name))"
            guard let section = schema.section(name) else {
                faults.append("\(place): unknown section\(hint(name, schema.sections.map(\.name)))")
                continue
            }
            guard let keys = content.mapping else {
                if content.scalar?.string.isEmpty != true {
                    faults.append("\(place): keys are expected below it, each as key: value on a line of its own")
                }
                continue
            }
            for (keyNode, value) in keys {
                let key = keyNode.string ?? ""
                let place = "\(path):\(keyNode.mark?.line ?? 0): \(name).\(GivenValue.name(key))"
                guard let setting = setting(section.name, key, at: place) else { continue }
                store(setting, section: name, node: value, origin: place)
            }
        }
    }

    private mutating func setting(_ section: String, _ key: String, at place: String) -> Setting? {
        guard let found = schema.section(section) else {
            faults.append("\(place): unknown section\(hint(section, schema.sections.map(\.name)))")
            return nil
        }
        guard let setting = found.settings.first(where: { $0.key == key }) else {
            faults.append("\(place): unknown key\(hint(key, found.settings.map(\.key)))")
            return nil
        }
        return setting
    }

    private func hint(_ name: String, _ candidates: some Sequence<String>) -> String {
        NearestName.of(name, in: candidates.sorted()).map { "; did you mean \($0)?" } ?? ""
    }

    private mutating func store(_ setting: Setting, section: String, node: Node, origin: String) {
        if case .list = setting.kind {
            if let items = Self.items(node) {
                keep(.list(items), setting, section, origin)
            } else if let scalar = node.scalar {
                store(setting, section: section, text: scalar.string, origin: origin)
            } else {
                refuse(setting, section, origin, Self.listExpectation)
            }
        } else if let scalar = node.scalar {
            store(setting, section: section, text: scalar.string, origin: origin)
        } else {
            refuse(setting, section, origin, "a single value is expected, not a \(node.sequence == nil ? "mapping" : "list")")
        }
    }

    private static let listExpectation = "a list of single values is expected, such as [a, b]"

    /// The items of a YAML sequence of scalars; nil for any other node.
    private static func items(_ node: Node) -> [String]? {
        guard let sequence = node.sequence else { return nil }
        let items = sequence.compactMap { $0.scalar?.string }
        return items.count == sequence.count ? items : nil
    }

    /// The items of a list from a flag or a variable: `a, b`, or in brackets as in the file.
    private static func items(_ text: String) -> [String]? {
        let plain = text.trimmingCharacters(in: .whitespaces)
        guard plain.hasPrefix("[") else { return parted(plain) }
        // A list has no lists in it; the depth of the parser's recursion would be the text's.
        guard plain.utf8.count <= longestText * 16, !plain.hasPrefix("[[[") else { return nil }
        if let node = try? Yams.compose(yaml: plain) { return items(node) }
        // YAML requires quotes around a host pattern such as *.example.org, but the shell has removed them from a command line.
        let inner = plain.dropFirst().dropLast()
        guard plain.hasSuffix("]"), plain.count > 1, !inner.contains(where: { "[]{}\"'".contains($0) }) else { return nil }
        return parted(String(inner))
    }

    private static func parted(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    private mutating func store(_ setting: Setting, section: String, text: String, origin: String) {
        func refuse(_ reason: String) {
            self.refuse(setting, section, origin, setting.isSecret ? reason : "\(reason), not \(GivenValue.quoted(text))")
        }
        switch setting.kind {
        case .integer(let range):
            guard let value = Self.number(text, { Int($0.filter { $0 != "_" }) }) else {
                return refuse("a whole number is expected (\(range.lowerBound) to \(range.upperBound))")
            }
            guard range.contains(value) else {
                return self.refuse(
                    setting, section, origin, "\(value) is out of range (\(range.lowerBound) to \(range.upperBound))")
            }
            keep(.integer(value), setting, section, origin)
        case .number(let range):
            guard let value = Self.number(text, { Double($0) }), value.isFinite else {
                return refuse("a number is expected (\(range.lowerBound) to \(range.upperBound))")
            }
            guard range.contains(value) else {
                return self.refuse(
                    setting, section, origin, "\(value) is out of range (\(range.lowerBound) to \(range.upperBound))")
            }
            keep(.number(value), setting, section, origin)
        case .boolean:
            switch text.utf8.count > 8 ? "" : text.lowercased() {
            case "true", "yes", "on", "1": keep(.boolean(true), setting, section, origin)
            case "false", "no", "off", "0": keep(.boolean(false), setting, section, origin)
            default: refuse("true or false is expected")
            }
        case .text: keep(.text(text), setting, section, origin)
        case .choice(let words):
            guard words.contains(text) else { return refuse("expected one of \(words.joined(separator: ", "))") }
            keep(.text(text), setting, section, origin)
        case .list:
            guard let items = Self.items(text) else { return self.refuse(setting, section, origin, Self.listExpectation) }
            keep(.list(items), setting, section, origin)
        }
    }

    /// A number from a text of a sensible length.
    private static func number<Value>(_ text: String, _ parse: (String) -> Value?) -> Value? {
        text.utf8.count <= 64 ? parse(text) : nil
    }

    private mutating func keep(_ value: Setting.Value, _ setting: Setting, _ section: String, _ origin: String) {
        if let fault = Self.unfit(value) ?? setting.fault(value) {
            guard !setting.isSecret, case .text(let text) = value else {
                // The fault of a list names the item.
                return refuse(setting, section, origin, GivenValue.line(fault))
            }
            return refuse(setting, section, origin, "\(fault), not \(GivenValue.quoted(text))")
        }
        values[section, default: [:]][setting.key] = value
        origins["\(section).\(setting.key)"] = origin
    }

    /// What no text of a setting may have, whatever it is for.
    private static func unfit(_ value: Setting.Value) -> String? {
        let texts: [String]
        switch value {
        case .text(let text): texts = [text]
        case .list(let items): texts = items
        case .integer, .number, .boolean: return nil
        }
        guard texts.count <= mostItems else { return "it has \(texts.count) items; at most \(mostItems) are possible" }
        guard texts.allSatisfy({ $0.utf8.count <= longestText }) else { return "at most \(longestText) bytes are possible" }
        let hasControl = texts.contains { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } }
        return hasControl ? "control characters, such as line ends and zero bytes, are not possible" : nil
    }

    private mutating func refuse(_ setting: Setting, _ section: String, _ origin: String, _ reason: String) {
        faults.append("\(origin): \(reason)")
        refused.insert("\(section).\(setting.key)")
    }
}
