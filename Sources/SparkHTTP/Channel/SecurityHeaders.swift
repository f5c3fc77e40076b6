import NIOCore
import NIOHTTP1

/// Adds the security headers, and the date where it is missing, to every response of a connection, including the parser's own 400.
final class SecurityHeaders: ChannelOutboundHandler, RemovableChannelHandler, Sendable {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private static let fields: [(String, String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Strict-Transport-Security", "max-age=31536000"),
    ]

    /// The `Date` field (RFC 9110, 6.6.1); nil where there is no clock.
    private let dates: HTTPDate?

    init(dates: HTTPDate? = nil) { self.dates = dates }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status.code >= 200 else {
            context.write(data, promise: promise)
            return
        }
        for (name, value) in Self.fields where !head.headers.contains(name: name) {
            head.headers.add(name: name, value: value)
        }
        if let dates, !head.headers.contains(name: "Date") { head.headers.add(name: "Date", value: dates.now) }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
