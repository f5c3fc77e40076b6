import Spark

/// Shows answers on a terminal. Names, messages and reports are untrusted, so they must not control the terminal.
enum Display {
    /// The text without control characters and invisible direction marks.
    static func text(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// A value in one line.
    static func word(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: "-"
        case .string(let value): text(value)
        case .bool(let value): value ? "yes" : "no"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .array(let values): values.isEmpty ? "-" : values.map { word($0) }.joined(separator: ", ")
        case .object: "..."
        }
    }

    /// An object as indented lines.
    static func lines(_ value: JSONValue, indent: String = "") -> [String] {
        guard case .object(let members) = value else { return [indent + word(value)] }
        return members.flatMap { member -> [String] in
            switch member.value {
            case .object: ["\(indent)\(member.key):"] + lines(member.value, indent: indent + "  ")
            case .array(let elements) where elements.contains(where: { if case .object = $0 { true } else { false } }):
                ["\(indent)\(member.key):"] + elements.map { row($0, indent: indent + "  ") }
            default: ["\(indent)\(member.key): \(word(member.value))"]
            }
        }
    }

    private static func row(_ value: JSONValue, indent: String) -> String {
        guard case .object(let members) = value else { return indent + word(value) }
        return indent + members.filter { !$0.value.isNull }.map { "\($0.key)=\(word($0.value))" }.joined(separator: "  ")
    }

    /// The `items` of an answer as a table with headings.
    static func table(_ answer: JSONValue, _ keys: [String], empty: String) -> [String] {
        let items = answer["items"]?.array ?? []
        guard !items.isEmpty else { return [empty] }
        return columns([keys.map(heading)] + items.map { item in keys.map { word(item[$0]) } })
    }

    /// `reporters_of_target` as `REPORTERS OF TARGET`.
    private static func heading(_ key: String) -> String { key.replacing("_", with: " ").uppercased() }

    /// Aligns cells; each column is as wide as its widest cell.
    /// - Parameter limit: the most characters to which a cell is padded; a longer one pushes the rest of its line away.
    static func columns(_ lines: [[String]], atMost limit: Int = .max) -> [String] {
        let count = lines.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            min(limit, lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0)
        }
        return lines.map { line in
            let cells = line.enumerated().map { index, cell in
                index == line.count - 1 ? cell : cell + String(repeating: " ", count: max(0, widths[index] - cell.count))
            }
            return cells.joined(separator: "  ")
        }
    }
}

extension Terminal {
    /// Prints an answer: JSON with `json`, otherwise readable lines.
    static func answer(_ result: JSONValue, json: Bool, _ lines: (JSONValue) -> [String]) {
        if json { say(json: result) } else { for line in lines(result) { say(line) } }
    }
}
