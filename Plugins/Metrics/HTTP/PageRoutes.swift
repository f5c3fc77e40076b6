import CSparkData
import HTTPTypes
import SparkCore
import SparkKit

/// The metrics page, its assets and the data of its charts. These are operator routes, open only to operators.
struct PageRoutes: Sendable {
    /// A content security policy: only resources of this server, no inline script or style.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    let charts: ChartDocument
    let alerts: AlertService

    var all: [Route] {
        [
            entrance,
            file("/_/metrics", "The metrics as a page", "text/html; charset=utf-8", Array(MetricsPage.html.utf8)),
            file("/_/metrics.js", "The page's script", "text/javascript; charset=utf-8", Array(spark_page_metrics_script())),
            file("/_/metrics.css", "The page's style", "text/css; charset=utf-8", Array(spark_page_metrics_style())),
            file("/_/icon.svg", "The page's icon", "image/svg+xml", Array(MetricsPage.icon.utf8)),
            Route(
                .get, "/_/series", "What the page's charts show", access: .open, rateLimit: .probe,
                query: [.choice("window", .of(ChartDocument.Window.self), default: "hour", "How far back.")],
                answer: .of(Charts.self)
            ) { call in
                return .json(charts.charts(call.text("window").flatMap { ChartDocument.Window(wire: $0) } ?? .hour))
            },
            Route(
                .get, "/_/alerts", "Rules and alerts, in Prometheus's format", access: .open, rateLimit: .probe,
                answer: .of(AlertBook.self)
            ) { call in
                return .json(alerts.book)
            },
        ]
    }

    /// Redirects to the metrics page while it is the console's only page.
    private var entrance: Route {
        Route(.get, "/_/", "The console", access: .open, rateLimit: .probe, status: .temporaryRedirect) { call in
            return Reply(.temporaryRedirect, headers: [.location: "/_/metrics"])
        }
    }

    private func file(_ path: String, _ summary: String, _ type: String, _ bytes: @autoclosure @escaping @Sendable () -> [UInt8])
        -> Route
    {
        let document = DeferredDocument {
            ConstantDocument(bytes(), type: type, headers: [.contentSecurityPolicy: Self.policy])
        }
        return Route(.get, path, summary, access: .open, rateLimit: .probe) { _ in await document.reply }
    }
}

extension Array<UInt8> {
    fileprivate init(_ file: SparkDataFile) { self.init(UnsafeBufferPointer(start: file.bytes, count: file.length)) }
}
