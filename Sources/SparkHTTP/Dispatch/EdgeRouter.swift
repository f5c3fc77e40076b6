import HTTPTypes
public import Hummingbird
import NIOCore
import SparkCore
import SparkKit

/// The frozen HTTP interface: every route of every module, the probes and the documents.
public struct EdgeRouter: HTTPResponder {
    /// The context of the edge's requests.
    public typealias Context = EdgeContext

    /// Longer paths get 404.
    private static let longestPath = 4_096

    private let responder: RouterResponder<EdgeContext>
    private let dispatcher: Dispatcher
    /// Counts requests that match no route.
    let unmatched: EdgeMetrics.Row
    /// The first segment of every path.
    private let beginnings: Set<Substring>

    init(routes: [Route], dispatcher: Dispatcher, metrics: EdgeMetrics) {
        let router = Router(context: EdgeContext.self, options: .autoGenerateHeadEndpoints)
        let unmatched = metrics.row(EdgeMetrics.unmatched)
        let rows = Dictionary(grouping: routes, by: \.path).mapValues { metrics.row($0[0].path) }
        for route in routes {
            let row = rows[route.path] ?? unmatched
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await row.measure(request.method) {
                    try await dispatcher.respond(to: request, context: context, as: route)
                }
            }
        }
        // Added last, this middleware wraps only the router's own "not found" response.
        router.add(middleware: Fallback(routes: routes, dispatcher: dispatcher, rows: rows, unmatched: unmatched))
        self.responder = router.buildResponder()
        self.dispatcher = dispatcher
        self.unmatched = unmatched
        self.beginnings = Set(routes.compactMap { $0.path.split(separator: "/").first })
    }

    /// Whether some route's path may match. Only a quick check, before more is spent on a request.
    func mayKnow(_ path: String) -> Bool { path.split(separator: "/", maxSplits: 1).first.map(beginnings.contains) ?? false }

    /// Answers a request; 404 for paths that are too long or have empty segments.
    public func respond(to request: Request, context: EdgeContext) async throws -> Response {
        guard request.head.path?.utf8.count ?? 0 <= Self.longestPath, !Self.hasEmptySegment(request.uri.path) else {
            return try await unmatched.measure(request.method) {
                await dispatcher.refuse(EdgeError.notFound, request: request, context: context)
            }
        }
        return try await responder.respond(to: request, context: context)
    }

    /// The router would skip empty segments, so one resource would have many paths, of which a proxy knows only one.
    private static func hasEmptySegment(_ path: String) -> Bool {
        var last: UInt8 = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/"), last == byte { return true }
            last = byte
        }
        return false
    }
}

/// Answers a request without a matching route: a preflight, 405 with `Allow` if the path exists, 426 for a late upgrade, else
/// 404.
private struct Fallback: RouterMiddleware {
    private struct Template {
        let segments: [Substring]
        let methods: [String]
        let row: EdgeMetrics.Row
    }

    private let templates: [Template]
    private let dispatcher: Dispatcher
    private let unmatched: EdgeMetrics.Row

    /// - Parameter rows: the metrics by path template.
    init(routes: [Route], dispatcher: Dispatcher, rows: [String: EdgeMetrics.Row], unmatched: EdgeMetrics.Row) {
        self.dispatcher = dispatcher
        self.unmatched = unmatched
        self.templates = Dictionary(grouping: routes, by: \.path).map { path, routes in
            let methods = Set(routes.map(\.method.rawValue))
            return Template(
                segments: path.split(separator: "/"),
                methods: (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted(), row: rows[path] ?? unmatched)
        }.sorted { $0.segments.lexicographicallyPrecedes($1.segments) }
    }

    func handle(
        _ request: Request, context: EdgeContext, next: (Request, EdgeContext) async throws -> Response
    ) async throws -> Response {
        let templates = matching(request.uri.path)
        let allowed = Set(templates.flatMap(\.methods)).sorted()
        // An existing path is counted under its template, whatever the method.
        return try await (templates.first?.row ?? unmatched).measure(request.method) {
            await answer(request, context, allowed)
        }
    }

    private func answer(_ request: Request, _ context: EdgeContext, _ allowed: [String]) async -> Response {
        guard !allowed.isEmpty else { return await dispatcher.refuse(EdgeError.notFound, request: request, context: context) }
        if let preflight = dispatcher.sharing.preflight(request, methods: allowed) {
            return await dispatcher.finish(preflight, request: request, context: context)
        }
        let isUpgrade = request.headers[.upgrade] != nil && allowed.contains("GET")
        return await dispatcher.refuse(
            isUpgrade ? EdgeError.unsupportedUpgrade : .methodNotAllowed, request: request, context: context,
            headers: [.allow: allowed.joined(separator: ", ")])
    }

    private func matching(_ path: String) -> [Template] {
        let segments = path.split(separator: "/")
        let matching = templates.filter { template in
            template.segments.count == segments.count
                && zip(template.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        // The router looks no further once the literal segments of a path match, so this does the same.
        let literal = matching.filter { $0.segments == segments }
        return literal.isEmpty ? matching : literal
    }
}
