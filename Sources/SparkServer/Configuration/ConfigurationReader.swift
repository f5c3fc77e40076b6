import Foundation
import SparkCore
import SparkKit
import Yams

/// Collects values and faults from the three sources: flags, environment and file.
struct ConfigurationReader {
    let schema: ConfigurationSchema
    private(set) var values: [String: [String: Setting.Value]] = [:]
    private(set) var origins: [String: String] = [:]
    private(set) var faults: [String] = []
    /// Variables that begin with SPARK_ and belong to other programs.
    private(set) var foreignVariables: [String] = []

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
        let place = name ?? "--set \(parts[0])"
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
            case .foreign: foreignVariables.append(name)
            case .reserved, .other: break
            case .setting(let section, let setting): store(setting, section: section, text: text, origin: name)
            case .file(let section, let setting):
                guard let content = try? String(contentsOfFile: text, encoding: .utf8) else {
                    faults.append("\(name): the file it names cannot be read")
                    continue
                }
                store(setting, section: section, text: content.trimmingCharacters(in: .newlines), origin: name)
            case .unknown(let nearest):
                let hint = nearest.map { "; did you mean \($0)?" } ?? ""
                faults.append("\(name): unknown environment variable\(hint)")
            }
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
            let place = "\(path):\(sectionNode.mark?.line ?? 0): \(name)"
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
                let place = "\(path):\(keyNode.mark?.line ?? 0): \(name).\(key)"
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
                refuse(origin, Self.listExpectation)
            }
        } else if let scalar = node.scalar {
            store(setting, section: section, text: scalar.string, origin: origin)
        } else {
            refuse(origin, "a single value is expected, not a \(node.sequence == nil ? "mapping" : "list")")
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
        switch setting.kind {
        case .integer(let range):
            guard let value = Int(text.filter { $0 != "_" }) else { return refuse(origin, "a whole number is expected") }
            guard range.contains(value) else {
                return refuse(origin, "\(value) is out of range (\(range.lowerBound) to \(range.upperBound))")
            }
            keep(.integer(value), setting, section, origin)
        case .number(let range):
            guard let value = Double(text), value.isFinite else { return refuse(origin, "a number is expected") }
            guard range.contains(value) else {
                return refuse(origin, "\(value) is out of range (\(range.lowerBound) to \(range.upperBound))")
            }
            keep(.number(value), setting, section, origin)
        case .boolean:
            switch text.lowercased() {
            case "true", "yes", "on", "1": keep(.boolean(true), setting, section, origin)
            case "false", "no", "off", "0": keep(.boolean(false), setting, section, origin)
            default: refuse(origin, "true or false is expected")
            }
        case .text: keep(.text(text), setting, section, origin)
        case .choice(let words):
            guard words.contains(text) else { return refuse(origin, "expected one of \(words.joined(separator: ", "))") }
            keep(.text(text), setting, section, origin)
        case .list:
            guard let items = Self.items(text) else { return refuse(origin, Self.listExpectation) }
            keep(.list(items), setting, section, origin)
        }
    }

    private mutating func keep(_ value: Setting.Value, _ setting: Setting, _ section: String, _ origin: String) {
        if let fault = setting.fault(value) { return refuse(origin, fault) }
        values[section, default: [:]][setting.key] = value
        origins["\(section).\(setting.key)"] = origin
    }

    private mutating func refuse(_ origin: String, _ reason: String) { faults.append("\(origin): \(reason)") }
}
