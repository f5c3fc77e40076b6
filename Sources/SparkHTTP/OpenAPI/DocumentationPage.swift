import Crypto
import Foundation
import HTTPTypes
import SparkCore
import SparkKit

/// A page without scripts. The security policy allows its only style by its hash.
struct PlainPage {
    let title: String
    /// HTML; text from elsewhere must already be escaped.
    let content: String

    private static let style = """
        :root { color-scheme: light dark; }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
        code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
        nav ul { columns: 12rem; padding-left: 1.2rem; }
        details { border-top: 1px solid #8886; padding: .4rem 0; }
        summary { cursor: pointer; }
        summary b { display: inline-block; min-width: 4.5rem; }
        dt { margin-top: .4rem; }
        dd { margin-left: 1.2rem; }
        """

    var document: ConstantDocument {
        let hash = Data(SHA256.hash(data: Data(Self.style.utf8))).base64EncodedString()
        let policy =
            "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        let html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            \(content)
            </body>
            </html>

            """
        return ConstantDocument(
            Array(html.utf8), type: "text/html; charset=utf-8", headers: [.contentSecurityPolicy: policy])
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}

/// The page at `/`.
enum EntrancePage {
    static let document = PlainPage(
        title: "Spark",
        content: """
            <h1>Spark</h1>
            <p>This is the API of a dating backend. Programs call it below <code>/api/v1</code>.</p>
            <ul>
            <li><a href="/docs">The API as a page</a></li>
            <li><a href="/openapi.json">OpenAPI 3.1</a></li>
            <li><a href="/asyncapi.json">AsyncAPI 3.0, the stream of events</a></li>
            </ul>
            """
    ).document
}

/// The page at `/docs`: every operation of the OpenAPI document, by module.
struct DocumentationPage {
    private let api: JSONValue

    init(_ openAPI: JSONValue) { self.api = openAPI }

    var document: ConstantDocument {
        let tags = (api["tags"]?.array ?? []).compactMap { tag in
            tag["name"]?.string.map { (name: $0, summary: tag["description"]?.string ?? "") }
        }
        let links = tags.map { "<li><a href=\"#\(text($0.name))\">\(text($0.name))</a></li>" }.joined()
        return PlainPage(
            title: "Spark: the API",
            content: """
                <header><h1>Spark: the API</h1>
                <p>Made from <a href="/openapi.json">openapi.json</a>. Events come over the stream:
                <a href="/asyncapi.json">asyncapi.json</a>. Errors are <code>application/problem+json</code> with a stable
                <code>code</code>. Calls marked “token” need <code>Authorization: Bearer …</code>.</p></header>
                <nav aria-label="Modules"><ul>\(links)</ul></nav>
                <main>
                \(tags.map { section($0.name, $0.summary) }.joined(separator: "\n"))
                </main>
                """
        ).document
    }

    private func section(_ tag: String, _ summary: String) -> String {
        """
        <section aria-labelledby="\(text(tag))">
        <h2 id="\(text(tag))">\(text(tag))</h2>
        <p>\(text(summary))</p>
        \(operations(of: tag).joined(separator: "\n"))
        </section>
        """
    }

    private func operations(of tag: String) -> [String] {
        guard case .object(let paths) = api["paths"] ?? .null else { return [] }
        return paths.flatMap { path -> [String] in
            guard case .object(let methods) = path.value else { return [] }
            return methods.filter { $0.value["tags"]?.array?.first?.string == tag }.map {
                operation($0.key.uppercased(), path.key, $0.value)
            }
        }
    }

    private func operation(_ method: String, _ path: String, _ operation: JSONValue) -> String {
        let isOpen = operation["security"] == nil
        var parts: [String] = []
        let parameters = (operation["parameters"]?.array ?? []).map { parameter in
            let name = parameter["name"]?.string ?? ""
            let place = parameter["in"]?.string ?? ""
            let help = parameter["description"]?.string ?? ""
            return
                "<dt><code>\(text(name))</code> in \(text(place)): \(text(type(parameter["schema"])))</dt><dd>\(text(help))</dd>"
        }
        if !parameters.isEmpty { parts.append("<h3>Parameters</h3><dl>\(parameters.joined())</dl>") }
        if let body = operation["requestBody"]?["content"]?["application/json"]?["schema"] {
            parts.append("<h3>Body</h3>\(members(of: body))")
        }
        if case .object(let answers) = operation["responses"] ?? .null {
            let lines = answers.map { answer in
                let shape = answer.value["content"]?["application/json"]?["schema"].map { members(of: $0) } ?? ""
                return "<dt>\(text(answer.key))</dt><dd>\(text(answer.value["description"]?.string ?? ""))\(shape)</dd>"
            }
            parts.append("<h3>Answers</h3><dl>\(lines.joined())</dl>")
        }
        return """
            <details><summary><b>\(text(method))</b> <code>\(text(path))</code>\(isOpen ? "" : " · token")<br>
            \(text(operation["summary"]?.string ?? ""))</summary>
            \(parts.joined(separator: "\n"))
            </details>
            """
    }

    /// The properties of an object schema as a list; the type of any other schema.
    private func members(of schema: JSONValue) -> String {
        let schema = resolved(schema)
        guard case .object(let properties) = schema["properties"] ?? .null, !properties.isEmpty else {
            return "<p>\(text(type(schema)))</p>"
        }
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        let lines = properties.map { property in
            let name = "<code>\(text(property.key))</code>"
            return "<li>\(name): \(text(type(property.value)))\(required.contains(property.key) ? "" : ", optional")</li>"
        }
        return "<ul>\(lines.joined())</ul>"
    }

    private func resolved(_ schema: JSONValue) -> JSONValue {
        guard let name = schema["$ref"]?.string?.split(separator: "/").last else { return schema }
        return api["components"]?["schemas"]?[String(name)] ?? schema
    }

    /// A schema's type in a few words.
    private func type(_ schema: JSONValue?) -> String {
        guard let schema else { return "anything" }
        if let name = schema["$ref"]?.string?.split(separator: "/").last {
            // An object has a list of its own; any other schema is short enough to be shown here.
            let resolved = resolved(schema)
            return resolved["properties"] == nil && resolved != schema ? type(resolved) : String(name)
        }
        if let words = schema["enum"]?.array { return "one of " + words.compactMap(\.string).joined(separator: ", ") }
        if let parts = schema["anyOf"]?.array { return parts.map { type($0) }.joined(separator: " or ") }
        switch schema["type"]?.string {
        case "array": return "list of \(type(schema["items"]))"
        case "object":
            guard case .object(let properties) = schema["properties"] ?? .null else { return "object" }
            return "object with \(properties.map(\.key).joined(separator: ", "))"
        case let type?: return [schema["format"]?.string ?? type, range(of: schema)].compactMap { $0 }.joined(separator: ", ")
        case nil: return "anything"
        }
    }

    private func range(of schema: JSONValue) -> String? {
        for (low, high, unit) in [("minimum", "maximum", ""), ("minLength", "maxLength", " characters")] {
            if let low = schema[low]?.integer, let high = schema[high]?.integer { return "\(low) to \(high)\(unit)" }
        }
        return nil
    }

    private func text(_ text: String) -> String { PlainPage.escaped(text) }
}
