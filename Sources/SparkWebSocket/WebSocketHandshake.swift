import Crypto
import Foundation
package import NIOHTTP1
import SparkCore

/// The opening handshake (RFC 6455, 4.2) of one request head.
package struct WebSocketHandshake: Equatable, Sendable {
    /// The value of `Sec-WebSocket-Accept`.
    let accept: String
    /// The client's subprotocols, in its order of preference.
    let subprotocols: [String]

    /// Whether a head asks for an upgrade to WebSocket. All other heads are ordinary requests.
    package static func isOffered(by head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.headers.tokens("Upgrade").contains("websocket")
    }

    /// - Throws: the error that refuses the upgrade.
    package init(_ head: HTTPRequestHead) throws(HandshakeError) {
        guard head.version == .http1_1, head.headers.contains(name: "Upgrade"), head.headers.endsHTTP else { throw .malformed }
        guard head.headers["Sec-WebSocket-Version"] == ["13"] else { throw .unsupportedVersion }
        let keys = head.headers["Sec-WebSocket-Key"]
        guard keys.count == 1, Self.isNonce(keys[0]) else { throw .malformed }
        var hash = Insecure.SHA1()
        hash.update(data: Array("\(keys[0])258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        self.accept = Data(hash.finalize()).base64EncodedString()
        self.subprotocols = head.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init)
    }

    /// The head of the 101 response.
    package func response(choosingFrom spoken: [String]) -> HTTPResponseHead {
        var headers: HTTPHeaders = ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept]
        if let chosen = spoken.first(where: subprotocols.contains) {
            headers.add(name: "Sec-WebSocket-Protocol", value: chosen)
        }
        return HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
    }

    /// Whether a key is 16 bytes in base64.
    private static func isNonce(_ text: String) -> Bool {
        text.utf8.count == 24 && Data(base64Encoded: text)?.count == 16
    }
}

/// Why an upgrade to WebSocket is refused.
package enum HandshakeError: ClientError, CaseIterable {
    case malformed
    case unsupportedVersion
    case upgradeRequired

    package var code: String {
        switch self {
        case .malformed: "websocket.bad_handshake"
        case .unsupportedVersion: "websocket.unsupported_version"
        case .upgradeRequired: "websocket.upgrade_required"
        }
    }

    package var status: Int { self == .malformed ? 400 : 426 }

    package var detail: String {
        switch self {
        case .malformed: "The request is not a WebSocket handshake (RFC 6455)."
        case .unsupportedVersion: "Only version 13 of WebSocket is supported."
        case .upgradeRequired: "This path needs a WebSocket handshake as the first request of a connection."
        }
    }
}

extension HTTPHeaders {
    /// The comma-separated tokens of all fields with this name, in lower case.
    fileprivate func tokens(_ name: String) -> [String] { self[canonicalForm: name].map { $0.lowercased() } }

    /// Whether the parser treats the bytes after this head as another protocol's. The parser is stricter than RFC 9110 (it
    /// accepts no tab in the list), so this is too.
    fileprivate var endsHTTP: Bool {
        self["Connection"].contains { field in
            field.lowercased().split(separator: ",").contains { $0.split(separator: " ") == ["upgrade"] }
        }
    }
}
