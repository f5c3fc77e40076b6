import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark support")
struct SupportTests {
    private static let words = ["Zephyrine", "canary-mail", "Kanarienvogel", "51.98765", "7.12345", "canary-secret"]

    /// The files of an archive, by name, as tar itself unpacks them.
    private func unpack(_ archive: String, in folder: String) async throws -> [String: String] {
        try await onOwnThread {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let tar = try ChildProcess("/bin/tar", ["-xzf", archive, "-C", folder], errors: -1)
            let (status, output) = tar.finish()
            #expect(status == 0 && output.isEmpty, "\(output)")
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/spark-support")
            return try Dictionary(
                uniqueKeysWithValues: names.map {
                    ($0, try String(contentsOfFile: "\(folder)/spark-support/\($0)", encoding: .utf8))
                })
        }
    }

    @Test("holds what helps, and nothing about people: no name, address, place, message, identifier, token or key")
    func canaries() async throws {
        try await withDataDirectory { directory in
            let token = "canary-secret-0123456789abcdef"
            let arguments = [
                "--data", directory, "--set", "metrics.token=\(token)",
                "--set", "metrics.alert_webhook_url=https://hooks.example/canary-secret/path",
                "--set", "push.webpush_subject=mailto:canary-mail@example.org",
                "--set", "backup.to=\(directory)-canary-place",
            ]
            var secrets = Self.words + [token, directory, "canary-place"]
            let archive = "\(directory)-support.tar.gz"
            defer {
                for path in [archive, "\(directory)-files", "\(directory)-canary-place"] {
                    try? FileManager.default.removeItem(atPath: path)
                }
            }
            var files: [String: String] = [:]
            try await withSpark(arguments) { spark in
                let place = Coordinate(latitude: 51.98765, longitude: 7.12345)
                let pair = try await spark.client.matchedPair("Zephyrine", "Ben", at: place)
                let (ada, ben) = (pair.first, pair.second)
                _ = try await ada.client.call("PATCH", "/api/v1/me", json: ["bio": "A Kanarienvogel in every word"] as JSONValue)
                try await spark.client.say("Kanarienvogel, hello", to: pair.conversation, by: ada)
                _ = try await spark.client.send(
                    "POST", "/api/v1/auth/register",
                    json: [
                        "email": "canary-mail@example.org", "password": "correct horse battery", "name": "Cem",
                        "birth_date": "1995-06-15", "gender": "man", "interested_in": ["woman"],
                    ] as JSONValue)
                secrets += [ada.id.wire, ben.id.wire, pair.conversation.wire, ada.client.token ?? "none"]
                let answer = try await SparkProcess.run(["support", archive, "--json"] + arguments)
                #expect(answer.status == 0, "\(answer.errors)")
                files = try await unpack(archive, in: "\(directory)-files")
            }
            for (name, text) in files {
                for secret in secrets { #expect(!text.contains(secret), "\(secret) in \(name)") }
            }
            let key = try Data(contentsOf: URL(filePath: "\(directory)/keys/server.key"))
            let hex = key.map { String(format: "%02x", $0) }.joined()
            for (name, text) in files { #expect(!text.contains(hex) && !text.contains(key.base64EncodedString()), "\(name)") }
            #expect(
                Set(files.keys) == [
                    "README.txt", "system.json", "configuration.txt", "limits.json", "doctor.json", "check.json", "tables.json",
                    "schema.sql", "metrics.txt", "missing.txt",
                ])
            #expect(files["missing.txt"] == "")
            #expect(files["check.json"]?.contains(#""sound":true"#) == true, "\(files["check.json"] ?? "")")
            #expect(files["configuration.txt"]?.contains("metrics.alert_webhook_url = ***") == true)
            #expect(files["metrics.txt"]?.contains("spark_http_requests_total") == true)
            #expect(files["schema.sql"]?.contains("CREATE TABLE") == true)
            let tables = try JSONParser.parse(Array((files["tables.json"] ?? "").utf8))["tables"]?.array ?? []
            let users = tables.first { $0["name"] == "accounts_users" }
            #expect(users?["rows"]?.integer == 3 && (users?["bytes"]?.integer ?? 0) > 0, "\(tables)")
            let mode = try FileManager.default.attributesOfItem(atPath: archive)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let again = try await SparkProcess.run(["support", archive, "--data", directory])
            #expect(again.status == 73 && again.errors.contains("exists already"), "\(again.errors)")
        }
    }

    @Test("says what could not be collected where no data is")
    func missing() async throws {
        try await withDataDirectory { directory in
            let archive = "\(directory)-support.tar.gz"
            defer { for path in [archive, "\(directory)-files"] { try? FileManager.default.removeItem(atPath: path) } }
            #expect(try await SparkProcess.run(["support", archive, "--data", directory]).status == 0)
            let files = try await unpack(archive, in: "\(directory)-files")
            #expect(
                files["missing.txt"]?.contains("metrics.txt: ") == true && files["missing.txt"]?.contains("check.json") == true)
            #expect(files["doctor.json"]?.contains("does not exist yet") == true && files["tables.json"] == nil)
            #expect(!FileManager.default.fileExists(atPath: directory))
        }
    }
}
