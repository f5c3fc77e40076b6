import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("Names")
struct NameTests {
    private static let names: [JSONValue] = [
        "", "   ", "A\nda", "Ada\u{0}", "Ada\u{200B}", "\u{202E}Ada", "Аda", "𝓐𝓭𝓪", "e\u{301}\u{301}\u{301}\u{301}\u{301}", 7,
        .null, ["Ada"],
        .string(String(repeating: "é", count: 51)), .string(String(repeating: "x", count: 51)),
        .string(String(repeating: " ", count: 700) + "Ada"), .string(String(repeating: "a\u{301}", count: 400)),
        .string("Ada" + String(repeating: " ", count: 500)), " Ada\tLovelace ", "Ａｄａ", .string(String(repeating: "漢", count: 50)),
    ]

    @Test("a name is judged by one rule, with the same words, at registration and in a change")
    func oneRule() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let ada = try await spark.client.person("Ada")
            for (number, name) in Self.names.enumerated() {
                let registered = try await spark.client.send(
                    "POST", "/api/v1/auth/register",
                    json: [
                        "email": .string("n\(number)@example.org"), "password": "correct horse battery", "name": name,
                        "birth_date": "1995-06-15", "gender": "woman", "interested_in": ["man"],
                    ] as JSONValue)
                let changed = try await ada.client.send("PATCH", "/api/v1/me", json: ["name": name] as JSONValue)
                #expect(registered.json["errors"] == changed.json["errors"], "\(name)")
                #expect(registered.json["user"]?["name"] == changed.json["name"], "\(name)")
            }
        }
    }
}
