import Foundation
import Glibc
import SparkTestSupport
import Testing

@testable import SparkCommand

/// Root works on the data directory of another user.
@Suite("Verbs of root", .enabled(if: geteuid() == 0 && getpwnam("nobody") != nil, "skipped: not root"), .timeLimit(.minutes(20)))
struct DataOwnerTests {
    /// A data directory and a place for backups that belong to nobody.
    private func withDirectoryOfNobody(_ body: (_ directory: String, _ place: String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            #expect(chmod(folder, 0o755) == 0)
            for name in ["data", "backups"] {
                #expect(mkdir("\(folder)/\(name)", 0o700) == 0)
                try give("\(folder)/\(name)")
            }
            try await body("\(folder)/data", "\(folder)/backups")
        }
    }

    private func give(_ path: String) throws {
        let nobody = try #require(getpwnam("nobody"))
        #expect(chown(path, nobody.pointee.pw_uid, nobody.pointee.pw_gid) == 0)
    }

    /// What does not belong to nobody in a folder.
    private func strangers(in folder: String) throws -> [String] {
        let nobody = try #require(getpwnam("nobody")).pointee.pw_uid
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        #expect(!names.isEmpty, "\(folder)")
        return ([""] + names).filter { DataOwner.owner(of: "\(folder)/\($0)") != nobody }
    }

    @Test("leave nothing of root in the directory of another user, nor in the place of its backups, and the server starts again")
    func owner() async throws {
        try await withDirectoryOfNobody { directory, place in
            let data = ["--data", directory]
            try await withSpark(data) { spark in
                // The first thread of a program in Swift may have ended, and then shows who it was.
                let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(spark.pid)/task")
                let live = try #require(threads.first { $0 != "\(spark.pid)" })
                let status = try String(contentsOfFile: "/proc/\(spark.pid)/task/\(live)/status", encoding: .utf8)
                let nobody = try #require(getpwnam("nobody")).pointee
                let fields = status.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
                for (field, number) in [("Uid:", nobody.pw_uid), ("Gid:", nobody.pw_gid)] {
                    let row = fields.first { $0.first == field }
                    #expect(row?.dropFirst() == Array(repeating: "\(number)", count: 4)[...], "\(row ?? [])")
                }
                #expect(fields.first { $0.first == "Groups:" }?.dropFirst().contains("0") == false)
                #expect(fields.first { $0.first == "CapEff:" }?.last?.allSatisfy { $0 == "0" } == true)
                _ = try await spark.client.person("Ada")
            }
            #expect(try strangers(in: directory) == [])
            for words in [
                ["user", "find", "ada"], ["operator-log"], ["backup", place], ["drill", place], ["check"], ["report", "list"],
                ["limits"], ["user", "suspend", "nobody@example.org"],
            ] {
                let answer = try await SparkProcess.run(words + data)
                #expect([0, 67].contains(answer.status), "\(words): \(answer.errors)")
            }
            let doctor = try await SparkProcess.run(["doctor", "--json", "--set", "http.listen=0"] + data)
            #expect(!doctor.output.contains("belongs to"), "\(doctor.output)")
            for folder in [directory, place] { #expect(try strangers(in: folder) == []) }
            try await withSpark(data) { _ in }
            #expect(try strangers(in: directory) == [])
        }
    }

    @Test("write what they were asked for where root may write, and read the settings that root may read")
    func files() async throws {
        try await withDirectoryOfNobody { directory, place in
            let folder = URL(filePath: directory).deletingLastPathComponent().appending(path: "root").path
            #expect(mkdir(folder, 0o700) == 0)
            try Data("server:\n  data: \(directory)\nbackup:\n  to: \(place)\n".utf8).write(to: URL(filePath: "\(folder)/s.yaml"))
            try await withSpark(["--data", directory]) { spark in _ = try await spark.client.person("Ada") }
            let settings = ["--config", "\(folder)/s.yaml"]
            let support = try await SparkProcess.run(["support", "\(folder)/support.tar.gz"] + settings)
            #expect(support.status == 0, "\(support.errors)")
            #expect(DataOwner.owner(of: "\(folder)/support.tar.gz") == 0)
            let backup = try await SparkProcess.run(["backup"] + settings)
            #expect(backup.status == 0, "\(backup.errors)")
            for folder in [directory, place] { #expect(try strangers(in: folder) == []) }
            // A key that only root may read is of no use to the server.
            try Data("x".utf8).write(to: URL(filePath: "\(folder)/token"))
            let token = try await SparkProcess.run(
                ["config", "check"] + settings, environment: ["SPARK_METRICS_TOKEN_FILE": "\(folder)/token"])
            #expect(
                token.status == 78 && token.errors.contains("as the user nobody, the owner of the data"), "\(token.errors)")
        }
    }

    @Test("say how files of root are given back to the directory's owner")
    func advice() async throws {
        try await withDirectoryOfNobody { directory, _ in
            try await withSpark(["--data", directory]) { _ in }
            #expect(chown("\(directory)/spark.marks", 0, 0) == 0)
            let refused = try await SparkProcess.run(["serve", "--listen", "127.0.0.1:0", "--data", directory])
            #expect(refused.status == 73, "\(refused.errors)")
            #expect(refused.errors.contains("spark.marks: Permission denied (EACCES)"), "\(refused.errors)")
            #expect(refused.errors.contains("belongs to root: chown -R nobody: \(directory)"), "\(refused.errors)")
            try give("\(directory)/spark.marks")
            try await withSpark(["--data", directory]) { _ in }
        }
    }
}
