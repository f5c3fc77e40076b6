import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// What caches may do with answers.
@Suite("Caching")
struct CachingTests {
    /// Forbids caches that several people share, and the use of a kept answer without asking (RFC 9111, 5.2.2).
    static func fault(_ answer: RawAnswer?) -> String? {
        guard let field = answer?.headers["cache-control"] else { return "no Cache-Control" }
        let words = Set(field.lowercased().split(separator: ",").map { $0.filter { $0 != " " } })
        guard words.contains("private") || words.contains("no-store") else { return "open to shared caches: \(field)" }
        guard words.contains("no-store") || words.contains("no-cache") else { return "usable without asking: \(field)" }
        let extra = words.subtracting(["private", "no-store", "no-cache"])
        return extra.isEmpty ? nil : "more than expected: \(field)"
    }

    /// A request to an operation with the document's own examples.
    private static func request(_ method: String, _ path: String, _ row: JSONValue, id: String) -> RawRequest {
        let target = path.split(separator: "/").map { $0.hasPrefix("{") ? id : String($0) }.joined(separator: "/")
        let body = row["requestBody"]?["content"]?["application/json"]?["example"]
        return RawRequest.plain(
            method.uppercased(), "/\(target)\(path.hasSuffix("/poll") ? "?wait=0" : "")",
            json: body.map { String(decoding: JSONWriter.bytes(of: $0), as: UTF8.self) })
    }

    @Test(
        "no answer of any route of the API may be kept by a shared cache, or used again without asking", .timeLimit(.minutes(20)))
    func everyRoute() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let document = try await spark.client.call("GET", "/openapi.json")
            // Those of the fixture are refused without its token.
            let paths = (document["paths"]?.members ?? []).filter { !$0.key.hasPrefix("/__test__") }
            var person = try await spark.client.person("anna")
            let other = try await spark.client.person("ben")
            var (operations, succeeded) = (0, 0)
            for path in paths {
                for operation in path.value.members {
                    let plain = Self.request(operation.key, path.key, operation.value, id: other.id.wire)
                    if try await person.client.send("GET", "/api/v1/me", body: nil).status != 200 {
                        person = try await spark.client.person("anna\(operations)")
                    }
                    operations += 1
                    let (url, token) = (spark.url, person.token)
                    for request in [plain, plain.with("Authorization", "Bearer \(token)")] {
                        let answer = try await onOwnThread {
                            let connection = try RawConnection(url)
                            connection.send(request.bytes)
                            // Only the head of an event stream comes.
                            return path.key.hasSuffix("/stream") ? try connection.head() : try connection.answer()
                        }
                        let fault = Self.fault(answer)
                        #expect(fault == nil, "\(operation.key) \(path.key) \(answer?.status ?? 0): \(fault ?? "")")
                        if let status = answer?.status, status < 400 { succeeded += 1 }
                    }
                }
            }
            #expect(operations > 40)
            // Refusals alone would prove little.
            #expect(succeeded > operations / 2, "\(succeeded) of \(operations)")
        }
    }
}
