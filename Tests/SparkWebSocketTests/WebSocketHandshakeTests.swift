import NIOHTTP1
import Testing

@testable import SparkWebSocket

@Suite("The opening handshake")
struct WebSocketHandshakeTests {
    static func head(_ changes: [(String, String?)] = [], version: HTTPVersion = .http1_1) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": "spark", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for (name, value) in changes {
            headers.remove(name: name)
            if let value { headers.add(name: name, value: value) }
        }
        return HTTPRequestHead(version: version, method: .GET, uri: "/ws", headers: headers)
    }

    @Test("the sample of RFC 6455, 1.3 is answered as printed there")
    func sample() throws {
        let handshake = try WebSocketHandshake(Self.head([("Sec-WebSocket-Protocol", "chat, superchat")]))
        let response = handshake.response(choosingFrom: ["chat"])
        #expect(response.status.code == 101)
        #expect(response.headers["Sec-WebSocket-Accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
        #expect(response.headers["Upgrade"] == ["websocket"])
        #expect(response.headers["Connection"] == ["Upgrade"])
        #expect(response.headers["Sec-WebSocket-Protocol"] == ["chat"])
    }

    @Test("the first subprotocol of the server's that the client offers is chosen; extensions never are")
    func subprotocols() throws {
        let head = Self.head([
            ("Sec-WebSocket-Protocol", "a, spark.v1,b"), ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ])
        let handshake = try WebSocketHandshake(head)
        #expect(handshake.response(choosingFrom: ["b", "a"]).headers["Sec-WebSocket-Protocol"] == ["b"])
        #expect(handshake.response(choosingFrom: ["c"]).headers["Sec-WebSocket-Protocol"] == [])
        #expect(handshake.response(choosingFrom: []).headers["Sec-WebSocket-Protocol"] == [])
        #expect(handshake.response(choosingFrom: ["a"]).headers["Sec-WebSocket-Extensions"] == [])
    }

    @Test(
        "lists and any case are read as lists and in any case",
        arguments: [
            ("Connection", "keep-alive, Upgrade"), ("Connection", "UPGRADE"), ("Connection", "upgrade ,close"),
            ("Upgrade", "WebSocket"), ("Upgrade", "foo, websocket"),
        ])
    func lists(_ name: String, _ value: String) throws {
        #expect(WebSocketHandshake.isOffered(by: Self.head([(name, value)])))
        _ = try WebSocketHandshake(Self.head([(name, value)]))
    }

    @Test(
        "a bad key, a missing token or an old HTTP is a bad handshake",
        arguments: [
            ("Sec-WebSocket-Key", nil), ("Sec-WebSocket-Key", ""), ("Sec-WebSocket-Key", "c2hvcnQ="),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSE="), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j*Q=="),
            ("Connection", nil), ("Connection", "keep-alive"), ("Connection", "upgrades"), ("Connection", "Upgrade x"),
            ("Connection", "Upgrade\t"),
        ] as [(String, String?)])
    func malformed(_ name: String, _ value: String?) {
        #expect(throws: HandshakeError.malformed) { _ = try WebSocketHandshake(Self.head([(name, value)])) }
        #expect(throws: HandshakeError.malformed) { _ = try WebSocketHandshake(Self.head(version: .http1_0)) }
    }

    @Test("any version but 13 is answered with the supported one", arguments: [nil, "8", "14", "13, 8", ""])
    func version(_ value: String?) {
        #expect(throws: HandshakeError.unsupportedVersion) {
            _ = try WebSocketHandshake(Self.head([("Sec-WebSocket-Version", value)]))
        }
    }

    @Test("offers of other protocols and other methods are not WebSocket offers")
    func others() {
        #expect(!WebSocketHandshake.isOffered(by: Self.head([("Upgrade", "h2c")])))
        #expect(!WebSocketHandshake.isOffered(by: Self.head([("Upgrade", nil)])))
        var post = Self.head()
        post.method = .POST
        #expect(!WebSocketHandshake.isOffered(by: post))
    }
}
