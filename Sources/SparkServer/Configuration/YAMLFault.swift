import Foundation
import Yams

/// The place and reason of a YAML error.
struct YAMLFault {
    private var line: Int?
    private var column: Int?
    private let problem: String
    /// `section.key`, as far as the lines above the error show it.
    private var key = ""

    init(_ error: any Error, in yaml: String) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
            .composer(_, let problem, let mark, _)?:
            (line, column) = (mark.line, mark.column)
            self.problem = Self.explained(problem)
        case .duplicatedKeysInMapping(let keys, let context)?:
            let first = keys.sorted().first ?? ""
            line = Self.secondLine(of: first, from: context.mark.line, in: yaml) ?? context.mark.line
            problem = "\(first) stands there twice"
        case .reader(let problem, let offset, _, _)?:
            line = offset.map { yaml.prefix($0).split(separator: "\n", omittingEmptySubsequences: false).count }
            self.problem = "\(problem): a character that YAML does not allow"
        default: problem = "not readable as YAML"
        }
        if let line { key = Self.key(at: line, in: yaml) }
    }

    func text(_ path: String) -> String {
        let place = [path, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
        return "\(place): \(key.isEmpty ? "" : "\(key): ")\(problem)"
    }

    /// libyaml's message with its usual cause.
    private static func explained(_ problem: String) -> String {
        switch problem {
        case "found character that cannot start any token":
            "\(problem): a tab, or a value that begins with @ or `; indent with spaces and put such a value in quotes"
        case "could not find expected ':'": "\(problem): a key is followed by a colon and a space"
        case "mapping values are not allowed in this context":
            "\(problem): the line is indented otherwise than those beside it, or a value with a colon needs quotes"
        case "found undefined alias", "did not find expected alphabetic or numeric character":
            "\(problem): a value that begins with * or & needs quotes"
        case "found unexpected end of stream", "did not find expected ',' or ']'": "\(problem): a quote or bracket is not closed"
        case "did not find expected key", "did not find expected <document start>":
            "\(problem): the line is indented otherwise than those beside it"
        default: problem
        }
    }

    private static func lines(_ yaml: String) -> [Substring] { yaml.split(omittingEmptySubsequences: false) { $0.isNewline } }

    /// The line of the second occurrence of a key, from the line `first` on.
    private static func secondLine(of key: String, from first: Int, in yaml: String) -> Int? {
        let found = lines(yaml).enumerated().filter { $0.offset + 1 >= first && name(in: $0.element)?.name == key }
        return found.dropFirst().first.map { $0.offset + 1 }
    }

    /// The key of a line, or of the nearest line above it that has one, with its section.
    private static func key(at number: Int, in yaml: String) -> String {
        let lines = lines(yaml)
        var found: (indent: Int, name: String)?
        for line in lines.prefix(max(0, number)).reversed() {
            guard let here = name(in: line) else { continue }
            guard let inner = found else {
                guard here.indent > 0 else { return here.name }
                found = here
                continue
            }
            if here.indent < inner.indent { return "\(here.name).\(inner.name)" }
        }
        return found?.name ?? ""
    }

    private static func name(in line: Substring) -> (indent: Int, name: String)? {
        let words = line.drop { $0 == " " || $0 == "\t" }
        guard let colon = words.firstIndex(of: ":"), words.first != "#", words.first != "-" else { return nil }
        let name = words[..<colon].trimmingCharacters(in: .whitespaces)
        guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { return nil }
        return (line.count - words.count, name)
    }
}
