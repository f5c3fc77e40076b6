/// A text of lines, each ended by a line feed; the form of all demo data.
///
/// Refuses what a careless edit leaves behind (an empty line, a line that stands there twice, a carriage return, blanks at an
/// end, no line feed after the last line), so that no row is ever dropped or changed in silence.
struct LineFile {
    let path: String
    let lines: [Substring]

    /// - Throws: `DemoDataError` naming the line, counted from 1.
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

    /// One value for each line.
    /// - Throws: `DemoDataError` for the first line for which `parse` gives nil.
    func values<Value>(_ parse: (Substring) -> Value?) throws -> [Value] {
        try lines.indices.map { try value(at: $0, parse(lines[$0])) }
    }

    /// One row for each line of a comma-separated file without quotes, its header left out.
    /// - Parameter header: what the first line must be; decides how many fields a row has.
    /// - Throws: `DemoDataError` for another header, another number of fields, an empty field, or the first row for
    ///   which `parse` gives nil.
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

/// A line of the demo data that does not have the form that `data/README.md` describes.
struct DemoDataError: Error, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let reason: String

    var description: String { "\(path):\(line) \(reason)" }
}
