import HTTPTypes
import SparkCore
import SparkKit

/// The page at `/` of the operators' listener, with links to the operators' pages.
enum OperatorEntrance {
    private static let pages: [(path: String, title: String)] = [
        ("/_/", "The console"), ("/metrics", "Metrics in Prometheus's format"), ("/readyz", "Whether the server is ready"),
    ]

    /// The page's route; none if a module has a route for `/`.
    static func routes(besides operatorRoutes: [Route]) -> [Route] {
        guard !operatorRoutes.contains(where: { $0.path == "/" }) else { return [] }
        // A module may be disabled, and its page with it.
        let known = Set(operatorRoutes.map { $0.path.hasSuffix("/") ? String($0.path.dropLast()) : $0.path } + ["/readyz"])
        let shown = pages.filter { known.contains($0.path.hasSuffix("/") ? String($0.path.dropLast()) : $0.path) }
        let page = PlainPage(
            title: "Spark: operators",
            content: """
                <h1>Spark</h1>
                <p>This listener is for those who run the server. The API is at another address.</p>
                <ul>
                \(shown.map { "<li><a href=\"\($0.path)\">\($0.title)</a></li>" }.joined(separator: "\n"))
                </ul>
                """
        ).document
        return [
            Route(.get, "/", "Where operators go from here", access: .open, rateLimit: .probe) { _ in page.reply }
        ]
    }
}
