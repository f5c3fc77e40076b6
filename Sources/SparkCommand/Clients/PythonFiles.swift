import Spark

/// The generated files of the Python client: the types of all bodies, answers and frames, and a method for each route.
struct PythonFiles {
    private static let width = 100
    private static let notice = "Made by `spark export client python`. Do not edit."
    /// Words that cannot be names.
    private static let keywords: Set<String> = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
        "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
        "pass", "raise", "return", "try", "while", "with", "yield",
    ]

    let interface: ClientInterface

    /// The files, by name.
    var all: [(name: String, text: String)] { [("models.py", models), ("routes.py", routes)] }

    private var models: String {
        let types = interface.declarations.map(declaration)
        let frames = [
            Self.alias("ClientFrame", "A frame that a client sends.", interface.clientFrames),
            Self.alias("ServerFrame", "A frame that the server sends.", interface.serverFrames),
        ]
        return """
            \"\"\"The types of all bodies, answers and frames. \(Self.notice)\"\"\"

            from __future__ import annotations

            from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


            """ + (types + frames).joined(separator: "\n")
    }

    private func declaration(_ row: ClientDeclaration) -> String {
        switch row.type {
        case .object(let members, _) where !members.isEmpty: object(row, members)
        case .choice(let choices): Self.alias(row.name, row.summary, choices.map(\.python))
        case .words(let words): Self.comment(row.summary) + "\(row.name): TypeAlias = \(Self.literal(words))\n"
        default: Self.alias(row.name, row.summary, [row.type.python])
        }
    }

    private func object(_ row: ClientDeclaration, _ members: [ClientMember]) -> String {
        let isPlain = members.allSatisfy { Self.isName($0.name) }
        let lines = members.map { member in
            let type = member.isRequired ? member.type.python : "NotRequired[\(member.type.python)]"
            let summary = member.summary.isEmpty ? "" : "    # \(member.summary)\n"
            guard !isPlain else { return summary + "    \(member.name): \(type)\n" }
            return summary + "    \(member.name.quoted): \(type.replacing("\"", with: "'").quoted),\n"
        }
        guard isPlain else {
            return Self.comment(row.summary) + """
                \(row.name) = TypedDict(\(row.name.quoted), {
                \(lines.joined())})

                """
        }
        return """

            class \(row.name)(TypedDict):
                \"\"\"\(row.summary.isEmpty ? row.name : row.summary)\"\"\"

            \(lines.joined())
            """
    }

    private static func alias(_ name: String, _ summary: String, _ parts: [String]) -> String {
        let parts = parts.map { $0.replacing("\"", with: "'") }
        let line = "\(name): TypeAlias = \(parts.joined(separator: " | ").quoted)\n"
        guard line.count > width else { return comment(summary) + line }
        let lines = parts.enumerated().map { place, part in
            "    \"\(place == 0 ? "" : "| ")\(part)\(place == parts.count - 1 ? "" : " ")\"\n"
        }
        return comment(summary) + "\(name): TypeAlias = (\n\(lines.joined()))\n"
    }

    /// One of some words, with one word a line if they are many.
    private static func literal(_ words: [String]) -> String {
        let line = ClientType.words(words).python
        guard line.count > width / 2 else { return line }
        return "Literal[\n\(words.map { "    \($0.quoted),\n" }.joined())]"
    }

    private static func comment(_ text: String) -> String { text.isEmpty ? "" : "# \(text)\n" }

    private static func isName(_ text: String) -> Bool {
        let isWord = text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte)
        }
        return isWord && !keywords.contains(text)
    }

    private var routes: String {
        let methods = interface.operations.map { method($0) + pages($0) }
        return """
            \"\"\"A method for each route of the API. \(Self.notice)\"\"\"

            from __future__ import annotations

            from collections.abc import Iterator, Sequence

            from . import models as m
            from .caller import Caller, segment


            class Routes(Caller):
                \"\"\"A method for each route of the API, named after the HTTP method and the path.\"\"\"

            \(methods.joined(separator: "\n"))
            """
    }

    private func method(_ route: ClientOperation) -> String {
        let answer = route.answer.map { $0.prefixed.python } ?? "None"
        var given = [route.method.quoted, Self.path(route)]
        if !route.query.isEmpty {
            given.append("query={\(route.query.map { "\($0.name.quoted): \(Self.parameter($0.name))" }.joined(separator: ", "))}")
        }
        if route.body != nil { given.append("body=body") }
        if route.takesKey { given.append("idempotency_key=idempotency_key, takes_key=True") }
        let call = "self.call(\(given.joined(separator: ", ")))"
        let head = Self.head(route.name, Self.parameters(route), answer)
        guard route.answer != nil else { return head + Self.text(route.summary + ".") + "        \(call)\n" }
        return head + Self.text(route.summary + ".") + "        answer: \(answer) = \(call)\n        return answer\n"
    }

    /// A method that goes through all pages of a list; empty for other routes.
    private func pages(_ route: ClientOperation) -> String {
        guard let element = route.element else { return "" }
        let query = route.query.map(\.name).filter { $0 != "cursor" }
        let given = route.segments + query.map { "\(Self.parameter($0))=\(Self.parameter($0))" } + ["cursor=cursor"]
        let head = Self.head(
            "each" + route.name.dropFirst("get".count), Self.parameters(route, isPaged: true),
            "Iterator[\(element.prefixed.python)]")
        return "\n" + head + Self.text("\(route.summary): every element of every page.") + """
                    cursor: str | None = None
                    while True:
                        page = self.\(route.name)(\(given.joined(separator: ", ")))
                        yield from page["items"]
                        cursor = page["next_cursor"]
                        if cursor is None:
                            return

            """
    }

    private static func head(_ name: String, _ parameters: [String], _ answer: String) -> String {
        let line = "    def \(name)(\((["self"] + parameters).joined(separator: ", "))) -> \(answer):\n"
        guard line.count > width else { return line }
        return "    def \(name)(\n        self,\n\(parameters.map { "        \($0),\n" }.joined())    ) -> \(answer):\n"
    }

    private static func text(_ summary: String) -> String { "        \"\"\"\(summary)\"\"\"\n" }

    private static func path(_ route: ClientOperation) -> String {
        guard !route.segments.isEmpty else { return route.path.quoted }
        return "f" + route.segments.reduce(route.path) { $0.replacing("{\($1)}", with: "{segment(\($1))}") }.quoted
    }

    private static func parameters(_ route: ClientOperation, isPaged: Bool = false) -> [String] {
        var parameters = route.segments.map { $0 == "seq" ? "\($0): int | str" : "\($0): str" }
        if let body = route.body {
            parameters.append("body: \(body.prefixed.python)\(route.isBodyOptional ? " | None = None" : "")")
        }
        var named = route.query.filter { !isPaged || $0.name != "cursor" }.map { member in
            let type: String
            if case .list(let element) = member.type {
                type = "Sequence[\(element.prefixed.python)]"
            } else {
                type = member.type.prefixed.python
            }
            return "\(parameter(member.name)): \(type) | None = None"
        }
        if route.takesKey { named.append("idempotency_key: str | None = None") }
        return parameters + (named.isEmpty ? [] : ["*"] + named)
    }

    private static func parameter(_ name: String) -> String { isName(name) ? name : "\(name)_" }
}

extension ClientType {
    fileprivate var python: String {
        switch self {
        case .text: "str"
        case .whole: "int"
        case .number: "float"
        case .boolean: "bool"
        case .null: "None"
        case .any: "Any"
        case .words(let words): "Literal[\(words.map(\.quoted).joined(separator: ", "))]"
        case .named(let name): name
        case .list(let element): "list[\(element.python)]"
        case .choice(let choices): choices.map(\.python).joined(separator: " | ")
        case .object(_, let further): "dict[str, \(further?.python ?? "Any")]"
        }
    }
}
