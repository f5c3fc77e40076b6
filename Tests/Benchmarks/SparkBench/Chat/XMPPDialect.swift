import Foundation
import NIOCore

/// XMPP over WebSocket (RFC 7395), as far as a chat between logged-in users needs it; the server must accept clients that only name
/// themselves (SASL PLAIN, RFC 4616). It acknowledges nothing.
package struct XMPPDialect: ChatDialect {
    private let websocketPath: String
    private let domain: String
    private let body: String

    /// - Parameter path: where the server answers the upgrade.
    package init(path: String, domain: String = "localhost", bytes: Int = 120) {
        self.websocketPath = path
        self.domain = domain
        self.body =
            String(repeating: "Shall we meet at the old bridge tonight? ", count: bytes / 40 + 1).prefix(bytes).description
    }

    package var subprotocol: String { "xmpp" }
    package func path(of user: Int) -> String { websocketPath }
    package func headers(of user: Int) -> [(String, String)] { [] }

    package func makeTalk(of user: Int, with peer: Int) -> any ChatTalk {
        Talk(name: "user\(user)", peer: "user\(peer)@\(domain)", domain: domain, body: body)
    }

    final class Talk: ChatTalk {
        private let name: String
        private let peer: String
        private let domain: String
        private let body: String

        init(name: String, peer: String, domain: String, body: String) {
            self.name = name
            self.peer = peer
            self.domain = domain
            self.body = body
        }

        func begin() -> [ByteBuffer] { [opening] }

        func heard(_ text: ByteBuffer) -> ChatEvent {
            if text.starts(with: "<message") {
                return text.bytes(after: " id='").flatMap { ChatNumber($0.prefix(24)) }.map { .message($0) } ?? .nothing
            }
            if text.bytes(after: "mechanism>PLAIN<") != nil { return .say([authentication]) }
            if text.starts(with: "<success") { return .say([opening]) }
            if text.bytes(after: "xmpp-bind'") != nil, text.bytes(after: "features") != nil { return .say([binding]) }
            if text.bytes(after: "id='bind'") != nil { return .say([presence]) }
            return text.starts(with: "<presence") ? .ready : .nothing
        }

        func message(_ number: ChatNumber) -> ByteBuffer {
            ByteBuffer(
                string:
                    "<message xmlns='jabber:client' to='\(peer)' type='chat' id='\(number.text)'><body>\(body)</body></message>")
        }

        private var opening: ByteBuffer {
            ByteBuffer(string: "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='\(domain)' version='1.0'/>")
        }

        private var authentication: ByteBuffer {
            let secret = Data("\u{0}\(name)\u{0}secret".utf8).base64EncodedString()
            return ByteBuffer(string: "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(secret)</auth>")
        }

        /// Without it no message arrives; the server returns it.
        private var presence: ByteBuffer { ByteBuffer(string: "<presence xmlns='jabber:client'/>") }

        private var binding: ByteBuffer {
            ByteBuffer(
                string: "<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                    + "<resource>bench</resource></bind></iq>")
        }
    }
}
