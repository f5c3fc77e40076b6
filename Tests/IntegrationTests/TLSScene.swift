import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SparkClient
import SparkCore
import SparkTestSupport

/// A server in a process of its own that speaks HTTPS, and the authority of its certificate.
struct TLSScene: Sendable {
    let authority: TestAuthority
    /// Of the certificate's files.
    let folder: String
    let spark: SparkProcess
    let first: TestAuthority.Pair

    /// The settings for a certificate in a folder.
    static func settings(_ folder: String) -> [String] {
        ["--set", "tls.certificate_file=\(folder)/certificate.pem", "--set", "tls.key_file=\(folder)/key.pem"]
    }

    /// Runs a test against such a server.
    /// - Parameter isEphemeral: whether it keeps nothing.
    static func run(
        _ arguments: [String] = [], _ kind: TestAuthority.KeyKind = .ecdsa, isEphemeral: Bool = false, days: Int = 90,
        isolation: isolated (any Actor)? = #isolation, _ body: (TLSScene) async throws -> Void
    ) async throws {
        let authority = try TestAuthority()
        let pair = try authority.pair(kind, days: days)
        try await withTemporaryFolder { folder in
            try pair.write(to: folder)
            let place = isEphemeral ? ["--ephemeral"] : ["--data", "\(folder)/data"]
            try await withSpark(place + settings(folder) + arguments) { spark in
                try await body(TLSScene(authority: authority, folder: folder, spark: spark, first: pair))
            }
        }
    }

    /// Runs a part of a test with a client that trusts the authority.
    func withClient<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (SparkClient) async throws -> Value
    ) async throws -> Value {
        try await authority.withClient(of: spark.url, body)
    }

    /// The value of a series; nil if there is none.
    func metric(_ series: String) async throws -> Double? {
        let answer = try await spark.operators.send("GET", "/metrics", body: nil)
        let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix("\(series) ") }.flatMap { Double($0.dropFirst(series.utf8.count + 1)) }
    }

    func handshakes(_ result: String) async throws -> Double {
        try await metric(#"spark_tls_handshakes_total{result="\#(result)"}"#) ?? -1
    }

    var port: String { spark.url.split(separator: ":").last.map(String.init) ?? "" }
}

/// The programs of this machine that the tests use if they are there.
enum InstalledProgram {
    static let openssl = find("openssl")
    static let curl = find("curl")
    static let nginx = find("nginx")
    static let caddy = find("caddy")

    private static func find(_ name: String) -> String? {
        ["/usr/bin/", "/usr/sbin/", "/usr/local/bin/"].map { $0 + name }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// What a program writes, errors too, and how it ends. Its input ends at once.
    static func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        try await onOwnThread {
            try ChildProcess("/bin/sh", ["-c", #"exec "$0" "$@" </dev/null"#, program] + arguments, errors: -1).finish()
        }
    }
}
