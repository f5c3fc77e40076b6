import Logging
import NIOHTTP1
import Synchronization

/// Detects a proxy that the configuration does not name. Behind such a proxy all clients share the proxy's address in every
/// limit, so this warns the operator once.
final class ProxySigns: Sendable {
    private static let fields = [
        "X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Client-IP",
        "CF-Connecting-IP", "True-Client-IP",
    ]

    private let logger: Logger
    private let wasTold = Atomic(false)

    init(logger: Logger) { self.logger = logger }

    func look(at head: HTTPRequestHead) {
        guard !wasTold.load(ordering: .relaxed), let field = Self.fields.first(where: { head.headers.contains(name: $0) }),
            !wasTold.exchange(true, ordering: .relaxed)
        else { return }
        logger.warning(
            "a request came through a proxy that is not in http.trusted_proxies: its clients share one address in all limits",
            metadata: ["header": .string(field)])
    }
}
