import HTTPTypes
public import Hummingbird
import NIOCore
import SparkCore
import SparkKit

/// The frozen HTTP interface: every row of every module, the probes and the documents.
public struct EdgeRouter: HTTPResponder {
    public typealias Context = EdgeContext

    private let responder: RouterResponder<EdgeContext>
    private let dispatcher: Dispatcher
    private let templates: [(segments: [Substring], methods: [String])]

    init(routes: [Route], dispatcher: Dispatcher) {
        let router = Router(context: EdgeContext.self, options: .autoGenerateHeadEndpoints)
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await dispatcher.respond(to: request, context: context, as: route)
            }
        }
        self.responder = router.buildResponder()
        self.dispatcher = dispatcher
        self.templates = Dictionary(grouping: routes, by: \.path).map { path, rows in
            let methods = Set(rows.map(\.method.rawValue))
            return (path.split(separator: "/"), (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted())
        }
    }

    public func respond(to request: Request, context: EdgeContext) async throws -> Response {
        do {
            guard request.head.path?.utf8.count ?? 0 <= 4_096 else { throw EdgeError.notFound }
            return try await responder.respond(to: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            let allowed = allowedMethods(request.uri.path)
            guard !allowed.isEmpty else { return dispatcher.refuse(EdgeError.notFound, request: request, path: "") }
            let isUpgrade = request.headers[.upgrade] != nil && allowed.contains("GET")
            let error: EdgeError = isUpgrade ? .unsupportedUpgrade : .methodNotAllowed
            return dispatcher.refuse(
                error, request: request, path: "", headers: [.allow: allowed.joined(separator: ", ")])
        } catch let error as EdgeError {
            return dispatcher.refuse(error, request: request, path: "")
        }
    }

    private func allowedMethods(_ path: String) -> [String] {
        let segments = path.split(separator: "/")
        let methods = templates.filter { template in
            template.segments.count == segments.count
                && zip(template.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }.flatMap(\.methods)
        return Set(methods).sorted()
    }
}
