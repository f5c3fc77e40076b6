import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("Abuse of tokens")
struct TokenAbuseTests {
    private static func encoded(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decoded(_ part: Substring) -> String {
        let padded = part.replacing("-", with: "+").replacing("_", with: "/")
        let data = Data(base64Encoded: padded + String(repeating: "=", count: (4 - padded.count % 4) % 4))
        return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test("a token that was forged, changed or cut counts as no token")
    func forged() async throws {
        let scene = try await AbuseScene.start()
        // Signed as it should be, with another server's key.
        let foreign = try await SparkProcess.serve(["--ephemeral"])
        let stranger = try await foreign.client.person("Ada").client.token ?? ""
        #expect(await foreign.end(SIGTERM) == 0)
        let parts = scene.token.split(separator: ".")
        try #require(parts.count == 3)
        let (header, claims, signature) = (String(parts[0]), String(parts[1]), String(parts[2]))
        let text = Self.decoded(parts[1])
        try #require(text.contains(scene.ada.id.wire))
        let later = text.replacing(/"exp":\d+/, with: #""exp":99999999999"#)
        let bens = text.replacing(scene.ada.id.wire, with: scene.ben.id.wire)
        try #require(later != text && bens != text)
        var tokens: [String] = []
        for algorithm in ["none", "None", "RS256", "HS384", "HS512", "ES256", "EdDSA", "hs256", ""] {
            let forged = Self.encoded(#"{"alg":"\#(algorithm)","typ":"JWT"}"#)
            tokens += ["\(forged).\(claims).", "\(forged).\(claims).\(signature)"]
        }
        for forged in [#"{"alg":"HS256","kid":"../../dev/null"}"#, #"{"alg":"HS256","alg":"none"}"#, "[", "null", ""] {
            tokens.append("\(Self.encoded(forged)).\(claims).\(signature)")
        }
        for forged in [later, bens, "{}", String(repeating: "[", count: 1_000)] {
            tokens.append("\(header).\(Self.encoded(forged)).\(signature)")
        }
        let long = String(repeating: "A", count: 10_000)
        tokens += [
            stranger, "\(header).\(claims).\(stranger.split(separator: ".")[2])", "\(header).\(claims).", "\(header).\(claims)",
        ]
        tokens += [scene.token + "A", scene.token + "." + signature, "\(scene.token),x"]
        tokens += [
            String(scene.token.dropLast()), String(scene.token.dropFirst()), "..", ".", "a.b.c", "é", AbuseScene.marker, long,
        ]
        try await scene.unharmed {
            for token in tokens {
                for path in ["/api/v1/me", "/api/v1/matches"] {
                    let answer = try await scene.answer(to: .plain("GET", path, token: token))
                    expectProblem(answer, 401, "auth.unauthenticated", token)
                    #expect(answer.headers["www-authenticate"] == "Bearer")
                }
            }
            let plain = RawRequest.plain("DELETE", "/api/v1/me")
            for field in [
                "", "Bearer", "Bearer ", "Basic \(scene.token)", scene.token, "Bearer \(scene.token) x", "Bearer,\(scene.token)",
            ] {
                expectProblem(try await scene.answer(to: plain.with("Authorization", field)), 401, "auth.unauthenticated", field)
            }
            var twice = scene.request("GET", "/api/v1/me")
            twice.headers.append(("Authorization", "Bearer \(scene.ben.client.token ?? "")"))
            expectProblem(try await scene.answer(to: twice), 401, "auth.unauthenticated")
            let inQuery = RawRequest.plain("GET", "/api/v1/me?access_token=\(scene.token)")
            expectProblem(try await scene.answer(to: inQuery), 401, "auth.unauthenticated")
        }
    }

    @Test("a refresh token that was used before ends its session, and nobody else's")
    func reused() async throws {
        let scene = try await AbuseScene.start()
        func refresh(_ token: String) async throws -> RawAnswer {
            try await scene.answer(to: .plain("POST", "/api/v1/auth/refresh", json: #"{"refresh_token":"\#(token)"}"#))
        }
        let first = try await refresh(scene.ada.refreshToken)
        #expect(first.status == 200)
        let access = try #require(first.json["access_token"]?.string)
        let second = try #require(first.json["refresh_token"]?.string)
        // A repetition is a lost answer; after the successor was used it is theft.
        #expect(try await refresh(scene.ada.refreshToken).json["refresh_token"]?.string == second)
        #expect(try await refresh(second).status == 200)
        expectProblem(try await refresh(scene.ada.refreshToken), 401, "accounts.refresh_reused")
        expectProblem(try await refresh(second), 401)
        for token in [access, scene.token] {
            expectProblem(try await scene.answer(to: .plain("GET", "/api/v1/me", token: token)), 401, "auth.unauthenticated")
        }
        for token in [AbuseScene.marker, access, String(second.dropLast()), second + "A", String(repeating: "A", count: 128)] {
            #expect([401, 422].contains(try await refresh(token).status))
        }
        #expect(try await scene.ben.client.call("GET", "/api/v1/me")["name"] == "Ben")
        #expect(await scene.spark.end(SIGTERM) == 0)
        #expect(scene.spark.complaints == [])
    }
}
