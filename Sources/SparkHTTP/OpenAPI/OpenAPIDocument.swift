import HTTPTypes
package import SparkCore
package import SparkKit

/// The OpenAPI 3.1 document, generated from the registered routes only.
package struct OpenAPIDocument: Sendable {
    /// Routes grouped by the module that registered them; the module is the tag.
    private let modules: [(module: String, summary: String, routes: [Route])]
    private let version: String

    /// - Parameters:
    ///   - modules: the modules in the order of the document.
    ///   - version: the value of `info.version`.
    package init(modules: [(module: String, summary: String, routes: [Route])], version: String) {
        self.modules = modules
        self.version = version
    }

    /// The document as JSON.
    package var json: JSONValue {
        [
            "openapi": "3.1.0",
            "info": ["title": "Spark", "version": .string(version), "description": "A dating backend in one binary."],
            "servers": [["url": "/"]],
            "tags": .array(modules.map { ["name": .string($0.module), "description": .string($0.summary)] }),
            "paths": paths,
            "components": [
                "schemas": schemas,
                "securitySchemes": .object(securitySchemes),
            ],
        ]
    }

    private var securitySchemes: [JSONMember] {
        let bearer = JSONMember("bearer", ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"])
        guard modules.contains(where: { $0.routes.contains { FixturePath.contains($0.path) } }) else { return [bearer] }
        return [
            bearer,
            JSONMember(
                "admin_token", ["type": "http", "scheme": "bearer", "description": "The admin_token of the server's ready line."]),
        ]
    }

    private var paths: JSONValue {
        var order: [String] = []
        var operations: [String: [JSONMember]] = [:]
        for (module, _, routes) in modules {
            for route in routes {
                let path = route.path
                if operations[path] == nil { order.append(path) }
                operations[path, default: []].append(
                    JSONMember(route.method.rawValue.lowercased(), operation(route, tag: module)))
            }
        }
        return .object(order.map { JSONMember($0, .object(operations[$0] ?? [])) })
    }

    private func operation(_ route: Route, tag: String) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("tags", [.string(tag)]),
            JSONMember("operationId", .string(operationID(route))),
            JSONMember("summary", .string(route.summary)),
            JSONMember("parameters", .array(parameters(route))),
            JSONMember("responses", responses(route)),
        ]
        if let body = route.body {
            members.append(
                JSONMember(
                    "requestBody",
                    ["required": .bool(!route.isBodyOptional), "content": ["application/json": content(body)]]))
        }
        if FixturePath.contains(route.path) {
            members.append(JSONMember("security", [["admin_token": []]]))
        } else if route.access != .open {
            members.append(JSONMember("security", [["bearer": []]]))
        }
        return .object(members)
    }

    private func operationID(_ route: Route) -> String {
        var path = route.path.split(separator: "/")
        if FixturePath.contains(route.path) { path[0] = "fixture" } else { path = Array(path.dropFirst(2)) }
        let words = path.map { $0.filter { $0 != "{" && $0 != "}" && $0 != "." } }
        return ([route.method.rawValue.lowercased()] + words).joined(separator: "_")
    }

    private func parameters(_ route: Route) -> [JSONValue] {
        let inPath = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment -> JSONValue in
            [
                "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string"],
            ]
        }
        let inQuery = route.query.map { parameter -> JSONValue in
            var members: [JSONMember] = [
                JSONMember("name", .string(parameter.name)), JSONMember("in", "query"),
                JSONMember("description", .string(parameter.help)), JSONMember("schema", parameter.schema.json),
            ]
            if case .words = parameter.kind {
                members.append(JSONMember("style", "form"))
                members.append(JSONMember("explode", false))
            }
            return .object(members)
        }
        var all = inPath + inQuery
        if route.idempotency == .honoured {
            all.append([
                "name": "Idempotency-Key", "in": "header", "required": false,
                "schema": ["type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"],
            ])
        }
        return all
    }

    private func responses(_ route: Route) -> JSONValue {
        var success: [JSONMember] = [JSONMember("description", .string(route.status.reasonPhrase))]
        if let answer = route.answer {
            success.append(JSONMember("content", .object([JSONMember(route.answerType, content(answer))])))
        }
        var members = [JSONMember("\(route.status.code)", .object(success))]
        if route.method == .get { members.append(JSONMember("304", ["description": "Not Modified"])) }
        let codes = Dictionary(grouping: route.errors, by: \.status).mapValues { $0.map(\.code).sorted() }
        for (status, codes) in codes.sorted(by: { $0.key < $1.key }) where status != route.status.code {
            members.append(JSONMember("\(status)", problem(codes.joined(separator: ", "))))
        }
        members.append(JSONMember("default", problem("Any error")))
        return .object(members)
    }

    private func problem(_ description: String) -> JSONValue {
        [
            "description": .string(description),
            "content": ["application/problem+json": content(.of(ProblemDocument.self))],
        ]
    }

    private func content(_ reference: SchemaReference) -> JSONValue {
        ["schema": reference.schema.named(reference.name).json, "example": reference.schema.example]
    }

    private var schemas: JSONValue {
        let all = modules.flatMap(\.routes).flatMap { route in
            [route.body, route.answer].compactMap { $0 } + route.query.flatMap(\.schema.components)
        }
        return (all + [.of(ProblemDocument.self)]).components
    }
}

extension [SchemaReference] {
    /// The members of `components.schemas`: these schemas and all that they refer to, by name.
    package var components: JSONValue {
        var seen: [String: Schema] = [:]
        for reference in self {
            for each in reference.schema.components + [reference] {
                assert(seen[each.name]?.json ?? each.schema.json == each.schema.json, "two schemas are named \(each.name)")
                seen[each.name] = each.schema
            }
        }
        return .object(seen.sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value.json) })
    }
}
