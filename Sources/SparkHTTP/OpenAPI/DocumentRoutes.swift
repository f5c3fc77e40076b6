import HTTPTypes
package import SparkCore
package import SparkKit

/// The routes that describe the API to people and programs: `/`, `/docs`, `/openapi.json`, `/asyncapi.json`. Each document is
/// made once, when it is first asked for.
package struct DocumentRoutes: Sendable {
    private let openAPI: DeferredDocument
    private let asyncAPI: DeferredDocument
    private let docs: DeferredDocument
    private let page: DeferredDocument
    private let index: DeferredDocument

    /// - Parameters:
    ///   - openAPI: the OpenAPI document.
    ///   - asyncAPI: the AsyncAPI document of the stream.
    package init(openAPI: OpenAPIDocument, asyncAPI: @escaping @Sendable () -> JSONValue) {
        self.openAPI = DeferredDocument { ConstantDocument(JSONWriter.bytes(of: openAPI.json), type: "application/json") }
        self.asyncAPI = DeferredDocument { ConstantDocument(JSONWriter.bytes(of: asyncAPI()), type: "application/json") }
        self.docs = DeferredDocument { DocumentationPage(openAPI.json).document }
        self.page = DeferredDocument { EntrancePage.document }
        self.index = DeferredDocument { ConstantDocument(JSONWriter.bytes(of: Entrance()), type: "application/json") }
    }

    /// The routes of all documents.
    package var all: [Route] {
        [
            Route(
                .get, "/", "Where to go from here", access: .open, rateLimit: .read, answer: .of(Entrance.self)
            ) { [page, index] call in
                var reply = await (Self.prefersHTML(call.headers[.accept]) ? page : index).reply
                reply.headers.vary(on: "Accept")
                return reply
            },
            row("/docs", "The API as a page", docs),
            row("/openapi.json", "The OpenAPI 3.1 document", openAPI),
            row("/asyncapi.json", "The AsyncAPI 3.0 document of the stream", asyncAPI),
        ]
    }

    private func row(_ path: String, _ summary: String, _ document: DeferredDocument) -> Route {
        Route(.get, path, summary, access: .open, rateLimit: .read) { _ in await document.reply }
    }

    /// Whether an `Accept` field names text/html, as browsers do and programs rarely do.
    private static func prefersHTML(_ field: String?) -> Bool { field?.lowercased().contains("text/html") ?? false }
}

/// The links that a program finds at `/`.
private struct Entrance: JSONObject {
    static let fields = Fields<Entrance>("Entrance", "Where the API and its documents are.") {
        Field("name", { _ in "Spark" }, .constant("Spark"))
        Field("api", { _ in "/api/v1" }, .constant("/api/v1"))
        Field("docs", { _ in "/docs" }, .constant("/docs"), "The API as a page.")
        Field("openapi", { _ in "/openapi.json" }, .constant("/openapi.json"))
        Field("asyncapi", { _ in "/asyncapi.json" }, .constant("/asyncapi.json"))
    }
}
