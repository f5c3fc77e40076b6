import Crypto
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkAccounts

@Suite("Access tokens")
struct AccessTokenTests {
    private let key = SymmetricKey(data: Array(repeating: UInt8(9), count: 32))
    private let now = TestServer.startOfTime
    private let user = UserID(rawValue: 41)
    private let session = SessionID(rawValue: 42)

    private func signed(_ header: JSONValue, _ payload: JSONValue) -> String {
        let text = [header, payload].map { Base64URL.encode(JSONWriter.bytes(of: $0)) }.joined(separator: ".")
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
        return "\(text).\(Base64URL.encode(Array(code)))"
    }

    private func claims(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        let seconds = now.milliseconds / 1_000
        let usual: [String: JSONValue] = [
            "sub": .string(user.wire), "sid": .string(session.wire), "iat": .integer(seconds), "exp": .integer(seconds + 900),
            "iss": "spark",
        ]
        return .object(usual.merging(changes) { $1 }.map { JSONMember($0.key, $0.value) })
    }

    @Test("a token names the user, the session and its end")
    func roundTrip() async throws {
        let tokens = AccessTokens(key: key, lifetime: .seconds(900))
        let (text, expiresAt) = try await tokens.sign(user, session, at: now)
        #expect(expiresAt == now + .seconds(900))
        let principal = try await tokens.verify(text, at: now + .milliseconds(899_999))
        #expect(principal == Principal(user: user, session: session, expiresAt: expiresAt))
        await #expect(throws: EdgeError.self) { _ = try await tokens.verify(text, at: expiresAt) }
    }

    @Test("the helper of these tests signs like the server")
    func helperSigns() async throws {
        let tokens = AccessTokens(key: key, lifetime: .seconds(900))
        let principal = try await tokens.verify(signed(["alg": "HS256", "typ": "JWT"], claims()), at: now)
        #expect(principal.user == user)
    }

    @Test(
        "only the pinned header is accepted, whether or not the signature is right",
        arguments: [
            ["alg": "none"], ["alg": "None"], ["alg": "HS384"], ["alg": "RS256"], ["alg": "hs256"], ["alg": 1], [:],
            ["alg": "HS256", "kid": "1"], ["alg": "HS256", "crit": ["exp"]], "HS256", [], .null,
        ] as [JSONValue])
    func pinsTheAlgorithm(_ header: JSONValue) async throws {
        let tokens = AccessTokens(key: key, lifetime: .seconds(900))
        await #expect(throws: EdgeError.self) { _ = try await tokens.verify(signed(header, claims()), at: now) }
    }

    @Test(
        "claims that the server never makes are refused even when signed",
        arguments: [
            ["sub": "usr_"], ["sub": "ses_000000000001a"], ["sub": 41], ["sid": .null], ["iss": "other"],
            ["exp": .integer(.max)], ["exp": .integer(.min)], ["exp": 0], ["exp": "2030-01-01"], ["exp": 1e300],
        ] as [[String: JSONValue]])
    func claimsAreChecked(_ changes: [String: JSONValue]) async throws {
        let tokens = AccessTokens(key: key, lifetime: .seconds(900))
        let text = signed(["alg": "HS256", "typ": "JWT"], claims(changes))
        await #expect(throws: EdgeError.self) { _ = try await tokens.verify(text, at: now) }
    }

    @Test("forged and changed tokens get the same refusal")
    func forged() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let parts = grant.access.split(separator: ".").map(String.init)
            let payload = try #require(Base64URL.decode(parts[1]))
            let stranger = UserID(rawValue: 77).wire
            let changed = Base64URL.encode(
                Array(String(decoding: payload, as: UTF8.self).replacing(grant.user, with: stranger).utf8))
            #expect(changed != parts[1])
            let other = try await AccessTokens(key: key, lifetime: .seconds(900)).sign(user, session, at: now).text
            let none = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
            let forgeries = [
                other, "\(parts[0]).\(changed).\(parts[2])", "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])",
                "\(none).\(changed).", "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1])", "\(grant.access).x", "..", ".", "x",
                "\(parts[0]).\(parts[1]).\(parts[2].reversed())", grant.access + String(repeating: "A", count: 2_048),
            ]
            for forgery in forgeries {
                let answer = try await server.call("GET", "/api/v1/auth/sessions", token: forgery)
                #expect(answer.status == 401)
                #expect(answer.code == "auth.unauthenticated")
            }
            #expect(try await server.status(with: grant.access) == 200)
        }
    }

    @Test("no part of a token is a token")
    func truncated() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let authenticating = try server.port((any Authenticating).self)
            for length in 0..<grant.access.count {
                await #expect(throws: EdgeError.self) {
                    _ = try await authenticating.authenticate(token: String(grant.access.prefix(length)))
                }
            }
        }
    }

    @Test("a token has one text: padding, spaces and spare bits are refused")
    func canonical() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let authenticating = try server.port((any Authenticating).self)
            let parts = grant.access.split(separator: ".").map(String.init)
            for text in [grant.access + "=", grant.access + "==", "\(parts[0])=.\(parts[1]).\(parts[2])", grant.access + " "] {
                await #expect(throws: EdgeError.self) { _ = try await authenticating.authenticate(token: text) }
            }
            // The last character of 32 bytes has two bits to spare: three other characters decode to the same bytes.
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = try #require(grant.access.last.flatMap { alphabet.firstIndex(of: $0) })
            for spare in 1...3 {
                let text = String(grant.access.dropLast()) + String(alphabet[last + spare])
                await #expect(throws: EdgeError.self) { _ = try await authenticating.authenticate(token: text) }
            }
            _ = try await authenticating.authenticate(token: grant.access)
        }
    }

    @Test("a token expires at its time, whether or not it is cached")
    func expires() async throws {
        try await withServer { server in
            let grant = try await server.register()
            #expect(try await server.status(with: grant.access) == 200)
            server.clock.advance(by: .seconds(899))
            #expect(try await server.status(with: grant.access) == 200)
            server.clock.advance(by: .seconds(1))
            #expect(try await server.status(with: grant.access) == 401)
            #expect(try await server.refresh(grant.refresh).status == 200)
        }
    }

    @Test("a signed token of a session that does not exist is refused")
    func unknownSession() async throws {
        try await withServer { server in
            let grant = try await server.register()
            try await server.storage.run("DELETE FROM accounts_sessions")
            #expect(try await server.status(with: grant.access) == 401)
        }
    }
}
