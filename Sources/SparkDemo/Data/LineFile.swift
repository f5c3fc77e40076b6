/// A text of lines, each ended by a line feed; the format of all demo data.
///
/// Refuses traces of careless edits (an empty line, a duplicate line, a carriage return, blanks at an end, a missing final line
/// feed), so that no row is silently dropped or changed.
struct LineFile {
    let path: String
    let lines: [Substring]

    /// - Throws: `DemoDataError` with the number of the line, counted from 1.
    init(path: String, text: String?) throws {
        guard let text else { throw DemoDataError(path: path, line: 1, reason: "is not UTF-8") }
        // Split by Unicode scalars: CR LF is one Character, so a split by characters would not see the line feed in it.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Substring.init)
        guard lines.last == "" else {
            throw DemoDataError(path: path, line: lines.count, reason: "does not end with a line feed")
        }
        lines.removeLast()
        var seen: Set<Substring> = []
        for (index, line) in lines.enumerated() {
            func refused(_ reason: String) -> DemoDataError { DemoDataError(path: path, line: index + 1, reason: reason) }
            guard let first = line.unicodeScalars.first, let last = line.unicodeScalars.last else { throw refused("is empty") }
            guard first != " ", last != " ", !line.unicodeScalars.contains(where: { $0.value < 32 }) else {
                throw refused("has a blank at an end or a control character")
            }
            guard seen.insert(line).inserted else { throw refused("repeats an earlier line") }
        }
        self.path = path
        self.lines = lines
    }

    /// One value per line.
    /// - Throws: `DemoDataError` for the first line for which `parse` returns nil.
    func values<Value>(_ parse: (Substring) -> Value?) throws -> [Value] {
        try lines.indices.map { try value(at: $0, parse(lines[$0])) }
    }

    /// One row per line of a comma-separated file without quotes, except for the header.
    /// - Parameter header: the expected first line; it determines the number of fields per row.
    /// - Throws: `DemoDataError` for another header, a wrong number of fields, an empty field, or the first row for which `parse`
    ///   returns nil.
    func rows<Row>(header: String, _ parse: ([Substring]) -> Row?) throws -> [Row] {
        guard let first = lines.first, first == header else {
            throw DemoDataError(path: path, line: 1, reason: "is not the expected header")
        }
        let width = header.split(separator: ",").count
        return try lines.indices.dropFirst().map { index in
            let fields = lines[index].split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == width, !fields.contains("") else {
                throw DemoDataError(path: path, line: index + 1, reason: "has a missing, empty or surplus field")
            }
            return try value(at: index, parse(fields))
        }
    }

    private func value<Value>(at index: Int, _ value: Value?) throws -> Value {
        guard let value else { throw DemoDataError(path: path, line: index + 1, reason: "has a value out of its range") }
        return value
    }
}

/// A line of the demo data that does not match the format in `data/README.md`.
struct DemoDataError: Error, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let reason: String

    var description: String { "\(path):\(line) \(reason)" }
}
