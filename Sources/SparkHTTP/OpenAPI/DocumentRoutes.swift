import HTTPTypes
package import SparkCore
package import SparkKit

/// The routes that describe the API to people and programs: `/`, `/docs`, `/openapi.json`, `/asyncapi.json`. Each document is
/// made once.
package struct DocumentRoutes: Sendable {
    private let openAPI: ConstantDocument
    private let asyncAPI: ConstantDocument
    private let docs: ConstantDocument
    private let page: ConstantDocument
    private let index: ConstantDocument

    /// Renders the documents.
    /// - Parameter asyncAPI: the AsyncAPI document of the stream.
    package init(openAPI: OpenAPIDocument, asyncAPI: JSONValue) {
        let json = openAPI.json
        self.openAPI = ConstantDocument(JSONWriter.bytes(of: json), type: "application/json")
        self.asyncAPI = ConstantDocument(JSONWriter.bytes(of: asyncAPI), type: "application/json")
        self.docs = DocumentationPage(json).document
        self.page = EntrancePage.document
        self.index = ConstantDocument(JSONWriter.bytes(of: Entrance()), type: "application/json")
    }

    /// The routes of all documents.
    package var all: [Route] {
        [
            Route(
                .get, "/", "Where to go from here", access: .open, rateLimit: .read, answer: .of(Entrance.self)
            ) { [page, index] call in
                var reply = Self.prefersHTML(call.headers[.accept]) ? page.reply : index.reply
                reply.headers.vary(on: "Accept")
                return reply
            },
            row("/docs", "The API as a page", docs),
            row("/openapi.json", "The OpenAPI 3.1 document", openAPI),
            row("/asyncapi.json", "The AsyncAPI 3.0 document of the stream", asyncAPI),
        ]
    }

    private func row(_ path: String, _ summary: String, _ document: ConstantDocument) -> Route {
        Route(.get, path, summary, access: .open, rateLimit: .read) { _ in document.reply }
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
