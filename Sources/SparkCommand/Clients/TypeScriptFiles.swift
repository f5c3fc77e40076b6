import Spark

/// The generated files of the TypeScript client: the types of all bodies, answers and frames, and a method for each route.
struct TypeScriptFiles {
    private static let width = 120
    private static let notice = "// Made by `spark export client typescript`. Do not edit.\n"

    let interface: ClientInterface

    /// The files, by name.
    var all: [(name: String, text: String)] { [("models.ts", models), ("routes.ts", routes)] }

    private var models: String {
        let types = interface.declarations.map(declaration)
        let frames = [
            union("ClientFrame", "A frame that a client sends.", interface.clientFrames),
            union("ServerFrame", "A frame that the server sends.", interface.serverFrames),
        ]
        return Self.notice + "\n" + (types + frames).joined(separator: "\n")
    }

    private func declaration(_ row: ClientDeclaration) -> String {
        let comment = Self.comment(row.summary)
        guard case .object(let members, let further) = row.type else {
            let parts = if case .choice(let choices) = row.type { choices.map(\.typeScript) } else { row.type.typeScriptParts }
            return comment + Self.alias(row.name, parts)
        }
        var lines = members.map { member in
            let text = "  \(Self.key(member.name))\(member.isRequired ? "" : "?"): \(member.type.typeScript);\n"
            return (member.summary.isEmpty ? "" : "  /** \(member.summary) */\n") + text
        }
        if let further {
            // The members that are known must have one of the types of those that are not.
            let types = ([further] + members.map(\.type)).map(\.typeScript)
            let known = further == .any ? ["unknown"] : types.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            lines.append("  [name: string]: \(known.joined(separator: " | "));\n")
        }
        return comment + "export interface \(row.name) {\n\(lines.joined())}\n"
    }

    private func union(_ name: String, _ summary: String, _ names: [String]) -> String {
        Self.comment(summary) + Self.alias(name, names)
    }

    private static func alias(_ name: String, _ parts: [String]) -> String {
        let line = "export type \(name) = \(parts.joined(separator: " | "));\n"
        guard line.count > width else { return line }
        return "export type \(name) =\n" + parts.map { "  | \($0)" }.joined(separator: "\n") + ";\n"
    }

    private static func comment(_ text: String) -> String { text.isEmpty ? "" : "/** \(text) */\n" }

    /// A key as it may stand in an object's type.
    private static func key(_ name: String) -> String {
        name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || $0.isLetterOrDigit } ? name : name.quoted
    }

    private var routes: String {
        let methods = interface.operations.map { method($0) + pages($0) }
        return Self.notice + """

            import type * as m from "./models.js";
            import { type CallOptions, Caller, segment } from "./caller.js";

            /** A method for each route of the API, named after the HTTP method and the path. */
            export abstract class Routes extends Caller {
            \(methods.joined(separator: "\n"))}

            """
    }

    private func method(_ route: ClientOperation) -> String {
        let name = route.name.camelCased
        let answer = route.answer.map { $0.prefixed.typeScript } ?? "void"
        var members = ["method: \(route.method.quoted)", "path: \(Self.path(route))"]
        if route.body != nil { members.append("body") }
        if !route.query.isEmpty {
            members.append("query: { \(route.query.map { "\($0.name): options.\($0.name)" }.joined(separator: ", ")) }")
        }
        if route.takesKey { members.append("takesKey: true") }
        return """
              /** \(route.summary). */
              \(name)(\(Self.parameters(route))): Promise<\(answer)> {
                return this.call<\(answer)>({ \(members.joined(separator: ", ")) }, options);
              }

            """
    }

    /// A method that goes through all pages of a list; empty for other routes.
    private func pages(_ route: ClientOperation) -> String {
        guard let element = route.element else { return "" }
        let name = route.name.camelCased
        let each = "each" + name.dropFirst("get".count)
        let given = route.segments.map { "\($0), " }.joined()
        return """

              /** \(route.summary): every element of every page. */
              \(each)(\(Self.parameters(route, isPaged: true))): AsyncGenerator<\(element.prefixed.typeScript), void, undefined> {
                return this.pages((cursor) => this.\(name)(\(given){ ...options, ...cursor }));
              }

            """
    }

    private static func path(_ route: ClientOperation) -> String {
        guard !route.segments.isEmpty else { return route.path.quoted }
        let text = route.segments.reduce(route.path) { $0.replacing("{\($1)}", with: "${segment(\($1))}") }
        return "`\(text)`"
    }

    private static func parameters(_ route: ClientOperation, isPaged: Bool = false) -> String {
        var parameters = route.segments.map { "\($0): string" }
        if let body = route.body {
            parameters.append("body\(route.isBodyOptional ? "?" : ""): \(body.prefixed.typeScript)")
        }
        let query = route.query.filter { !isPaged || $0.name != "cursor" }
        let options = query.map { "\($0.name)?: \($0.type.prefixed.typeScript) | undefined" }.joined(separator: "; ")
        parameters.append("options: \(query.isEmpty ? "" : "{ \(options) } & ")CallOptions = {}")
        return parameters.joined(separator: ", ")
    }
}

extension ClientType {
    /// The type with the models' prefix before each name, as the routes write it.
    var prefixed: ClientType {
        switch self {
        case .named(let name): .named("m.\(name)")
        case .list(let element): .list(element.prefixed)
        case .choice(let choices): .choice(choices.map(\.prefixed))
        default: self
        }
    }

    fileprivate var typeScript: String { typeScriptParts.joined(separator: " | ") }

    /// The members of the union that the type is; one for most.
    fileprivate var typeScriptParts: [String] {
        switch self {
        case .text: ["string"]
        case .whole, .number: ["number"]
        case .boolean: ["boolean"]
        case .null: ["null"]
        case .any: ["unknown"]
        case .words(let words): words.map(\.quoted)
        case .named(let name): [name]
        case .list(let element):
            element.typeScriptParts.count == 1 ? ["\(element.typeScript)[]"] : ["(\(element.typeScript))[]"]
        case .choice(let choices): choices.flatMap(\.typeScriptParts)
        case .object(_, let further): ["Record<string, \(further?.typeScript ?? "never")>"]
        }
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII letter or digit.
    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}
