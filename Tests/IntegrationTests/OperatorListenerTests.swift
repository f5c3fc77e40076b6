import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("The operators' listener")
struct OperatorListenerTests {
    @Test("it is in the ready line and in the port file, and spark top and spark limits find it")
    func found() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { spark in
                let url = try #require(spark.readyLine["operator_url"]?.string)
                #expect(spark.readyLine["admin_token"] == nil)
                let file = try JSONParser.parse(Data(contentsOf: URL(filePath: directory).appending(path: "spark.port.json")))
                #expect(file["operator_url"]?.string == url)
                let operators = SparkClient(patient: url)
                for path in ["/metrics", "/_/metrics", "/_/series", "/_/alerts", "/healthz", "/readyz"] {
                    #expect(try await operators.send("GET", path, body: nil).status == 200, "\(path)")
                }
                #expect(try await operators.send("GET", "/api/v1/me", body: nil).status == 404)
                let entrance = try await operators.send("GET", "/", body: nil)
                let page = String(decoding: entrance.body, as: UTF8.self)
                #expect(entrance.status == 200 && entrance.headers["content-type"]?.hasPrefix("text/html") == true)
                for link in ["href=\"/_/\"", "href=\"/metrics\""] { #expect(page.contains(link), "\(page)") }
                #expect(String(decoding: try await spark.client.send("GET", "/", body: nil).body, as: UTF8.self) != page)
                for path in ["/metrics", "//metrics", "/metrics/", "/%6detrics", "/_/", "/_/metrics", "/_/series"] {
                    #expect(try await spark.client.send("GET", path, body: nil).status == 404, "\(path)")
                }
                let top = try await SparkProcess.run(["top", "--once", "--json", "--interval", "1", "--data", directory])
                #expect(top.status == 0, "\(top.errors)")
                let limits = try await SparkProcess.run(["limits", "--json", "--data", directory])
                #expect(limits.status == 0, "\(limits.errors)")
                let rows = try JSONParser.parse(limits.output.utf8)
                #expect(rows["is_running"] == .bool(true))
                let connections = rows["limits"]?.array?.first { $0["key"] == "limits.connections" }
                #expect((connections?["used"]?.integer ?? 0) >= 1)
            }
        }
    }

    @Test("an ephemeral server has one port, which its own token opens to operators")
    func ephemeral() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let token = try #require(spark.readyLine["admin_token"]?.string)
            #expect(spark.readyLine["operator_url"] == nil)
            #expect(try await spark.client.send("GET", "/metrics", body: nil).status == 404)
            #expect(
                try await SparkClient(patient: spark.url, token: "\(token)x").send("GET", "/metrics", body: nil).status == 404)
            #expect(try await SparkClient(patient: spark.url, token: token).send("GET", "/metrics", body: nil).status == 200)
            let top = try await SparkProcess.run(["top", "--once", "--json", "--interval", "1", "--data", spark.directory])
            #expect(top.status == 0, "\(top.errors)")
        }
    }

    @Test("an address in use, or open to others without a token, is an error that names the key")
    func refused() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { first in
                let taken = try #require(first.readyLine["operator_url"]?.string).replacing("http://", with: "")
                try await withDataDirectory { other in
                    for (value, status) in [(taken, 73), ("0.0.0.0:0", 78), ("nonsense", 78), ("127.0.0.1:99999", 78)]
                        as [(String, Int32)]
                    {
                        let failure = await #expect(throws: DidNotStart.self) {
                            _ = try await SparkProcess.serve(["--data", other, "--set", "operator.listen=\(value)"])
                        }
                        #expect(failure?.status == status, "\(value): \(failure?.log ?? "")")
                        #expect(failure?.log.contains("operator.listen") == true, "\(failure?.log ?? "")")
                    }
                    let none = try await SparkProcess.serve(["--data", other, "--set", "operator.listen="])
                    #expect(none.readyLine["operator_url"] == nil)
                    #expect(await none.end(SIGTERM) == 0)
                }
            }
        }
    }

    static let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "behind nginx with a bare proxy_pass nobody sees the metrics, and the log notes once a proxy that is not trusted",
        .enabled(if: nginx != nil, "skipped: nginx is not installed"))
    func behindNginx() async throws {
        let nginx = try #require(Self.nginx)
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { spark in
                let folder = FileManager.default.temporaryDirectory.appending(path: "spark-nginx-\(UUID().uuidString)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                for (name, header) in [("bare", ""), ("named", "proxy_set_header X-Forwarded-For $remote_addr;")] {
                    let socket = folder.appending(path: "\(name).sock").path
                    let configuration = """
                        daemon off; master_process off; pid \(folder.path)/\(name).pid; error_log stderr crit;
                        events { worker_connections 64; }
                        http { access_log off; client_body_temp_path \(folder.path)/b; proxy_temp_path \(folder.path)/p;
                          fastcgi_temp_path \(folder.path)/f; uwsgi_temp_path \(folder.path)/u; scgi_temp_path \(folder.path)/s;
                          server { listen unix:\(socket); location / { proxy_pass \(spark.url); \(header) } } }
                        """
                    let file = folder.appending(path: "\(name).conf")
                    try Data(configuration.utf8).write(to: file)
                    let process = try ChildProcess(nginx, ["-c", file.path, "-p", folder.path], folder: folder.path, errors: -1)
                    defer { kill(process.pid, SIGKILL) }
                    for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    for path in ["/metrics", "//metrics", "/_/", "/_/metrics", "/_/series", "/_/alerts", "/%6detrics"] {
                        #expect(try await status(socket, path) == "404", "\(name) \(path)")
                    }
                    #expect(try await status(socket, "/healthz") == "200")
                    #expect(try await status(socket, "/healthz") == "200")
                    kill(process.pid, SIGKILL)
                    _ = await process.end()
                    let warnings = spark.log.ranges(of: "http.trusted_proxies").count
                    #expect(warnings == (name == "bare" ? 0 : 1), "\(spark.log)")
                }
                #expect(!spark.log.contains("127.0.0.1 "))
            }
        }
    }

    /// The status that curl gets by a Unix socket, path as it stands.
    private func status(_ socket: String, _ path: String) async throws -> String {
        try await onOwnThread {
            let words = [
                "-s", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is", "--max-time", "20", "--unix-socket", socket,
                "http://dating.example\(path)",
            ]
            return try ChildProcess("/usr/bin/curl", words).finish().output
        }
    }
}
