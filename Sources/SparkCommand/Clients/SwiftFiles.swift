import Spark

/// The generated files of the Swift client: the types of all bodies, answers and frames, and a method for each route.
struct SwiftFiles {
    private static let notice = "// Made by `spark export client swift`. Do not edit.\n// swift-format-ignore-file\n\n"

    let interface: ClientInterface

    /// The files, by name.
    var all: [(name: String, text: String)] { [("ClientModels.swift", models), ("ClientRoutes.swift", routes)] }

    private var models: String {
        let types = interface.declarations.map(declaration)
        let frames = [
            union("ClientFrame", "A frame that a client sends.", interface.clientFrames),
            union("ServerFrame", "A frame that the server sends.", interface.serverFrames),
        ]
        return Self.notice + """
            public import SparkCore

            /// The types of all bodies, answers and frames.
            public enum SparkAPI {
            \((types + frames).joined(separator: "\n"))}

            """
    }

    private func declaration(_ row: ClientDeclaration) -> String {
        switch row.type {
        case .object(let members, let further) where !members.isEmpty: return object(row, members, further)
        case .words(let words) where words.count > 1: return enumeration(row, words)
        case .any: return Self.comment(row.summary, or: row.name) + "    public typealias \(row.name) = SparkCore.JSONValue\n"
        case .choice(let choices):
            let names = choices.compactMap { if case .named(let name) = $0 { name } else { nil } }
            if names.count == choices.count, names.allSatisfy({ word(of: $0) != nil }) {
                return union(row.name, row.summary, names)
            }
        default: break
        }
        return Self.comment(row.summary, or: row.name) + "    public typealias \(row.name) = \(row.type.swift)\n"
    }

    /// The word in the member `type` of a frame; nil for a type without one.
    private func word(of name: String) -> String? {
        guard let row = interface.declarations.first(where: { $0.name == name }), case .object(let members, _) = row.type,
            case .words(let words)? = members.first(where: { $0.name == "type" })?.type
        else { return nil }
        return words.count == 1 ? words[0] : nil
    }

    private func object(_ row: ClientDeclaration, _ members: [ClientMember], _ further: ClientType?) -> String {
        let names = members.map { SwiftName.member($0.name) }
        let rows = zip(members, names)
        var lines = rows.map { member, name in
            Self.comment(member.summary, or: "`\(member.name)`.", 8) + Self.property(member, name)
        }
        let given = rows.filter { !Self.isFixed($0.0) }.map { member, name in
            "\(name): \(Self.type(of: member))\(Self.initial(member))"
        }
        var parameters = given
        var stores = rows.filter { !Self.isFixed($0.0) }.map { "            self.\($1) = \($1)\n" }
        var reads = rows.filter { !Self.isFixed($0.0) }.map { member, name in
            "            self.\(name) = try members.\(member.isRequired ? "required" : "optional")(\(member.name.quoted))\n"
        }
        var writes = rows.map { member, name in
            "            members.add(\(member.isRequired ? "" : "optional: ")\(member.name.quoted), \(name))\n"
        }
        if let further {
            lines.append("        /// Further members, by name.\n        public var further: [String: \(further.swift)]\n")
            parameters.append("further: [String: \(further.swift)] = [:]")
            stores.append("            self.further = further\n")
            reads.append(
                "            self.further = try members.others(besides: [\(members.map(\.name.quoted).joined(separator: ", "))])\n"
            )
            writes.append("            members.add(further)\n")
        }
        return Self.comment(row.summary, or: row.name) + """
                public struct \(row.name): SparkValue {
            \(lines.joined())
                    /// A value with these members.
                    public init(\(parameters.joined(separator: ", "))) {
            \(stores.joined())        }

                    /// Reads the value.
                    public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
                        let members = try MemberList(json)
            \(reads.joined())        }

                    /// The value as the server reads it.
                    public var json: SparkCore.JSONValue {
                        var members = MemberList()
            \(writes.joined())            return members.json
                    }
                }

            """
    }

    /// A member with one value, which says what the type is.
    private static func isFixed(_ member: ClientMember) -> Bool {
        if case .words(let words) = member.type { member.name == "type" && words.count == 1 && member.isRequired } else { false }
    }

    private static func property(_ member: ClientMember, _ name: String) -> String {
        guard isFixed(member), case .words(let words) = member.type else {
            return "        public var \(name): \(type(of: member))\n"
        }
        return "        public let \(name) = \(words[0].quoted)\n"
    }

    /// The type of a member. One that may be absent and may be null is an optional of an optional.
    private static func type(of member: ClientMember) -> String { member.type.swift + (member.isRequired ? "" : "?") }

    private static func initial(_ member: ClientMember) -> String {
        if case .words(let words) = member.type, words.count == 1, member.isRequired { return " = \(words[0].quoted)" }
        return member.isRequired ? "" : " = nil"
    }

    private func enumeration(_ row: ClientDeclaration, _ words: [String]) -> String {
        let cases = words.map { word in
            "        /// `\(word)`.\n        public static let \(SwiftName.word(word)) = \(row.name)(rawValue: \(word.quoted))\n"
        }
        return Self.comment(row.summary, or: row.name) + """
                public struct \(row.name): SparkWord {
                    /// The word. A newer server may send one that is not known here.
                    public let rawValue: String

                    /// The value of a word.
                    public init(rawValue: String) { self.rawValue = rawValue }

            \(cases.joined())    }

            """
    }

    private func union(_ name: String, _ summary: String, _ names: [String]) -> String {
        let rows = names.map { type in
            let word = word(of: type) ?? type
            return (type: type, word: word, name: SwiftName.word(word))
        }
        let cases = rows.map { row in
            let text = interface.declarations.first { $0.name == row.type }?.summary ?? ""
            return Self.comment(text, or: row.type, 8) + "        case \(row.name)(\(row.type))\n"
        }
        let reads = rows.map { row in "            case \(row.word.quoted): self = .\(row.name)(try \(row.type)(json: json))\n" }
        let payloads = rows.map { row in "            case .\(row.name)(let frame): frame\n" }
        return Self.comment(summary, or: name) + """
                public enum \(name): SparkFrame {
            \(cases.joined())        /// A frame of a newer server, which is not known here.
                    case other(SparkCore.JSONValue)

                    /// Reads the frame.
                    public init(json: SparkCore.JSONValue) throws(UnexpectedJSON) {
                        switch json["type"]?.string {
            \(reads.joined())            default: self = .other(json)
                        }
                    }

                    /// What the frame holds.
                    public var payload: any SparkValue {
                        switch self {
            \(payloads.joined())            case .other(let json): json
                        }
                    }
                }

            """
    }

    /// A comment before a declaration.
    private static func comment(_ text: String, or name: String, _ indent: Int = 4) -> String {
        "\(String(repeating: " ", count: indent))/// \(text.isEmpty ? name : text)\n"
    }

    private var routes: String {
        let methods = interface.operations.map { method($0) + pages($0) }
        return Self.notice + """
            /// A method for each route of the API, named after the HTTP method and the path.
            ///
            /// All throw `SparkProblem` for what the server refuses, `SparkUnreachable` if there is no answer, and `UnexpectedJSON`.
            extension SparkRoutes {
            \(methods.joined(separator: "\n"))}

            """
    }

    private func method(_ route: ClientOperation) -> String {
        let answer = route.answer.map { " -> \($0.inSparkAPI.swift)" } ?? ""
        var given = [route.method.quoted, Self.path(route)]
        if !route.query.isEmpty {
            let pairs = route.query.map { "(\($0.name.quoted), SparkRequest.parameter(\(SwiftName.member($0.name))))" }
            given.append("query: [\(pairs.joined(separator: ", "))]")
        }
        if route.body != nil { given.append("body: body\(route.isBodyOptional ? "?" : "").json") }
        if route.takesKey { given.append("idempotencyKey: idempotencyKey, takesKey: true") }
        let discarded = route.answer == nil || route.method == "GET" ? "" : "@discardableResult\n    "
        return """
                /// \(route.summary).
                \(discarded)public func \(SwiftName.member(route.name))(\(Self.parameters(route))) async throws\(answer) {
                    try await call(SparkRequest(\(given.joined(separator: ", "))))
                }

            """
    }

    /// A method that goes through all pages of a list; empty for other routes.
    private func pages(_ route: ClientOperation) -> String {
        guard let element = route.element else { return "" }
        let name = SwiftName.member(route.name)
        let query = route.query.map(\.name).map {
            $0 == "cursor" ? "cursor: cursor" : "\(SwiftName.member($0)): \(SwiftName.member($0))"
        }
        return """

                /// \(route.summary): every element of every page.
                public func each\(name.dropFirst("get".count))(\(Self.parameters(route, isPaged: true))) -> SparkPages<\(element.inSparkAPI.swift)> {
                    SparkPages { cursor in
                        let page = try await \(name)(\((route.segments.map(SwiftName.member) + query).joined(separator: ", ")))
                        return (page.items, page.nextCursor)
                    }
                }

            """
    }

    private static func path(_ route: ClientOperation) -> String {
        route.segments.reduce(route.path) {
            $0.replacing("{\($1)}", with: "\\(SparkRequest.segment(\(SwiftName.member($1))))")
        }.asSwiftLiteral
    }

    private static func parameters(_ route: ClientOperation, isPaged: Bool = false) -> String {
        var parameters = route.segments.map { "_ \(SwiftName.member($0)): \($0 == "seq" ? "Int" : "String")" }
        if let body = route.body {
            parameters.append("_ body: \(body.inSparkAPI.swift)\(route.isBodyOptional ? "? = nil" : "")")
        }
        for member in route.query where !isPaged || member.name != "cursor" {
            parameters.append("\(SwiftName.member(member.name)): \(member.type.inSparkAPI.swift)? = nil")
        }
        if route.takesKey { parameters.append("idempotencyKey: String? = nil") }
        return parameters.joined(separator: ", ")
    }
}

/// Names of Swift for those of JSON.
enum SwiftName {
    private static let acronyms: [String: String] = ["id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs"]
    /// Words that need backticks.
    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
        "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "init", "inout",
        "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public", "repeat", "rethrows",
        "return", "self", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias",
        "var",
        "where", "while",
    ]
    /// Members that every type has.
    private static let taken: Set<String> = ["json", "further", "hash", "members"]

    /// `target_id` as `targetID`.
    static func member(_ name: String) -> String {
        let words = name.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let rest = words.dropFirst().map { acronyms[$0] ?? $0.prefix(1).uppercased() + $0.dropFirst() }
        let text = (words.first.map(lowered) ?? "") + rest.joined()
        if taken.contains(text) { return text + "_" }
        return keywords.contains(text) ? "`\(text)`" : text
    }

    /// `message.edited` as `messageEdited`, `7days` as `_7days`.
    static func word(_ word: String) -> String {
        let name = member(word)
        return name.first?.isNumber == false ? name : "_\(name)"
    }

    private static func lowered(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}

extension ClientType {
    /// The type with the name of the models' namespace before each name, as the routes write it.
    fileprivate var inSparkAPI: ClientType {
        switch self {
        case .named(let name): .named("SparkAPI.\(name)")
        case .list(let element): .list(element.inSparkAPI)
        case .choice(let choices): .choice(choices.map(\.inSparkAPI))
        default: self
        }
    }

    fileprivate var swift: String {
        switch self {
        case .text, .words: "String"
        case .whole: "Int"
        case .number: "Double"
        case .boolean: "Bool"
        case .null, .any: "SparkCore.JSONValue"
        case .named(let name): name
        case .list(let element): "[\(element.swift)]"
        case .choice(let choices): Self.choice(choices)
        case .object(_, let further): "[String: \(further?.swift ?? "SparkCore.JSONValue")]"
        }
    }

    /// A type or null is an optional. Other choices have no type of their own.
    private static func choice(_ choices: [ClientType]) -> String {
        let others = choices.filter { $0 != .null }
        guard others.count == 1, others.count < choices.count else { return "SparkCore.JSONValue" }
        return others[0].swift + "?"
    }
}

extension String {
    /// The text, which may have interpolations, as a literal.
    fileprivate var asSwiftLiteral: String { "\"\(self)\"" }
}
