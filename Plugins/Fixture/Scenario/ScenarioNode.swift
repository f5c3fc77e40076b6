import SparkCore
import Yams

/// A value of a scenario's file with its path. Every reader refuses what the schema does not allow and says what it expects.
struct ScenarioNode {
    let file: String
    let path: String
    /// Where the value is in the file; for a mapping or a list in block style, where its key is.
    private let line: Int?
    private let node: Node

    /// - Throws: `ScenarioFault` for a text that is not YAML, or that is empty.
    init(file: String, text: String) throws(ScenarioFault) {
        let composed: Node?
        do {
            composed = try Yams.compose(yaml: text)
        } catch {
            throw Self.syntaxFault(error, in: file)
        }
        guard let node = composed else {
            throw ScenarioFault(file: file, line: nil, path: "", reason: "expected keys and values, found nothing")
        }
        self.init(file: file, path: "", line: node.mark?.line, node: node)
    }

    private init(file: String, path: String, line: Int?, node: Node) {
        (self.file, self.path, self.line, self.node) = (file, path, line, node)
    }

    private static func syntaxFault(_ error: any Error, in file: String) -> ScenarioFault {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
            .composer(_, let problem, let mark, _)?:
            return ScenarioFault(file: file, line: mark.line, path: "", reason: "expected YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context)?:
            let key = String((keys.sorted().first ?? "").prefix(64))
            return ScenarioFault(file: file, line: context.mark.line, path: key, reason: "expected once, found twice")
        default: return ScenarioFault(file: file, line: nil, path: "", reason: "expected YAML")
        }
    }

    /// The fault that something else was expected here.
    func fault(_ expected: String) -> ScenarioFault {
        ScenarioFault(file: file, line: line, path: path, reason: "expected \(expected), found \(found)")
    }

    /// The fault of a value that does not fit the rest.
    func conflict(_ reason: String) -> ScenarioFault {
        ScenarioFault(file: file, line: line, path: path, reason: reason)
    }

    private var found: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "\"\(scalar.string.prefix(64))\""
        case .mapping: "keys and values"
        case .sequence(let list): "a list of \(list.count)"
        case .alias: "an alias"
        }
    }

    /// Whether the value is null.
    var isNull: Bool { node.scalar.map { ["", "~", "null"].contains($0.string) && $0.style == .plain } ?? false }

    /// The values of a mapping by key.
    /// - Parameter allowed: the keys that the schema knows.
    func members(_ allowed: [String]) throws(ScenarioFault) -> [String: ScenarioNode] {
        var members: [String: ScenarioNode] = [:]
        for (key, value) in try entries() {
            guard allowed.contains(key) else {
                let nearest = NearestName.of(key, in: allowed).map { "; did you mean \($0)?" } ?? ""
                throw value.conflict("expected one of \(allowed.joined(separator: ", "))\(nearest)")
            }
            members[key] = value
        }
        return members
    }

    /// The keys and values of a mapping, in their order.
    func entries() throws(ScenarioFault) -> [(key: String, value: ScenarioNode)] {
        guard let mapping = node.mapping else { throw fault("keys and values") }
        var entries: [(key: String, value: ScenarioNode)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string, name.utf8.count <= 64 else { throw fault("keys of at most 64 bytes") }
            let line = (value.scalar == nil ? key : value).mark?.line
            entries.append(
                (name, ScenarioNode(file: file, path: path.isEmpty ? name : "\(path).\(name)", line: line, node: value)))
        }
        return entries
    }

    /// The elements of a list.
    func elements(_ count: ClosedRange<Int>) throws(ScenarioFault) -> [ScenarioNode] {
        guard let list = node.sequence, count.contains(list.count) else {
            throw fault("a list of \(count.lowerBound) to \(count.upperBound)")
        }
        return list.enumerated().map {
            ScenarioNode(file: file, path: "\(path)[\($0.offset)]", line: $0.element.mark?.line, node: $0.element)
        }
    }

    var isList: Bool { node.sequence != nil }

    func text(_ length: ClosedRange<Int>) throws(ScenarioFault) -> String {
        guard let text = node.scalar?.string, length.contains(text.unicodeScalars.count), !text.unicodeScalars.contains("\0")
        else {
            throw fault("a text of \(length.lowerBound) to \(length.upperBound) characters")
        }
        return text
    }

    func word(_ words: [String]) throws(ScenarioFault) -> String {
        guard let word = node.scalar?.string, words.contains(word) else { throw fault("one of \(words.joined(separator: ", "))") }
        return word
    }

    func integer(_ range: ClosedRange<Int>) throws(ScenarioFault) -> Int {
        guard let number = node.scalar.flatMap({ Int($0.string) }), range.contains(number) else {
            throw fault("a whole number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func number(_ range: ClosedRange<Double>) throws(ScenarioFault) -> Double {
        guard let number = node.scalar.flatMap({ Double($0.string) }), range.contains(number) else {
            throw fault("a number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag() throws(ScenarioFault) -> Bool {
        switch node.scalar?.string {
        case "true": return true
        case "false": return false
        default: throw fault("true or false")
        }
    }

    /// A date, as the API takes it.
    func date() throws(ScenarioFault) -> String {
        guard let text = node.scalar?.string, CivilDate(text) != nil else { throw fault("a date such as 1995-06-15") }
        return text
    }
}
