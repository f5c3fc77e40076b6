import Foundation
import Spark
import SparkClient
import SparkMetrics
import SparkTestSupport
import Testing

@Suite("Access to a fixture's routes")
struct FixtureAccessTests {
    private static let routes = [
        ("POST", "/users"), ("GET", "/users/ada"), ("GET", "/outbox"), ("DELETE", "/outbox"), ("GET", "/events"),
        ("POST", "/faults"), ("GET", "/faults"), ("DELETE", "/faults"), ("POST", "/chance"),
    ]

    @Test("needs the token of the ready line, on both listeners")
    func token() async throws {
        try await withServer(TestServer.fixture()) { server in
            let ada = try await server.made()
            for (method, path) in Self.routes {
                for token in [nil, "wrong", ada.token] {
                    let answer = try await server.answer(method, "/__test__\(path)", token: token, body: nil)
                    #expect(answer.status == 401 && answer.json["code"] == "auth.unauthenticated", "\(method) \(path)")
                }
                #expect(try await server.operatorCall(method, "/__test__\(path)").status == 401)
            }
            #expect(try await server.steer("GET", "/faults").status == 200)
            #expect(try await server.steer("GET", "/nothing").status == 404)
            #expect(try await server.steer("PUT", "/faults").status == 405)
        }
    }

    @Test("does not exist in a server that keeps its data, nor in one without the module")
    func others() async throws {
        func expectNothing(_ server: TestServer) async throws {
            for (method, path) in Self.routes {
                for token in [nil, server.adminToken, "open sesame"] {
                    let answer = try await server.answer(method, "/__test__\(path)", token: token, body: nil)
                    #expect(answer.status == 404, "\(method) \(path)")
                }
                #expect(try await server.operatorCall(method, "/__test__\(path)").status == 404)
            }
            let document = try await server.call("GET", "/openapi.json").body
            #expect(!document.contains("__test__") && !document.contains(#""fixture""#))
        }
        try await withDataDirectory { directory in
            let settings = ["metrics.token=open sesame"]
            try await withServer(TestServer.start(sparkModules, settings: settings, directory: directory)) {
                #expect(!$0.modules.contains("fixture"))
                try await expectNothing($0)
            }
        }
        try await withServer(TestServer.start([MetricsModule.self], settings: ["metrics.token=open sesame"])) {
            try await expectNothing($0)
        }
    }

    @Test("is described in the document of an ephemeral server, under a tag and a scheme of its own")
    func document() async throws {
        try await withServer(TestServer.fixture()) { server in
            let document = try await server.call("GET", "/openapi.json").json
            #expect(document["tags"]?.array?.contains { $0["name"] == "fixture" } == true)
            #expect(document["components"]?["securitySchemes"]?["admin_token"]?["scheme"] == "bearer")
            for (method, path) in Self.routes {
                let name = "/__test__\(path == "/users/ada" ? "/users/{name}" : path)"
                let operation = try #require(document["paths"]?[name]?[method.lowercased()], "\(method) \(name)")
                #expect(operation["tags"] == ["fixture"] && operation["security"] == [["admin_token": []]])
                #expect(operation["operationId"]?.string?.contains("_fixture_") == true)
                #expect(operation["responses"]?["401"] != nil)
            }
        }
    }

    @Test("is shown by spark openapi only on request")
    func verb() async throws {
        let plain = try await SparkProcess.run(["openapi"])
        #expect(plain.status == 0 && !plain.output.contains("__test__"))
        let whole = try await SparkProcess.run(["openapi", "--fixture"])
        #expect(whole.status == 0 && whole.output.contains("/__test__/users/{name}"))
        let modules = try await SparkProcess.run(["modules"])
        #expect(!modules.output.contains("__test__"))
    }
}
