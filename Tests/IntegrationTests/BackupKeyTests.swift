import Foundation
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark backup-key")
struct BackupKeyTests {
    @Test("makes a key in a new file that only its owner may read, prints its recipient, and says what its loss means")
    func make() async throws {
        try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let file = directory + "/identity.txt"
            let made = try await SparkProcess.run(["backup-key", file])
            #expect(made.status == 0 && made.output.hasPrefix("age1") && made.output.split(separator: "\n").count == 1)
            #expect(made.errors.contains("Who loses this file loses the backups"))
            let content = try String(contentsOfFile: file, encoding: .utf8)
            let recipient = made.output.split(separator: "\n").joined()
            #expect(content.contains("# public key: \(recipient)\n") && content.contains("\nAGE-SECRET-KEY-1"))
            #expect(!(made.output + made.errors).contains("AGE-SECRET-KEY"))
            let rights = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(rights == 0o600)

            let again = try await SparkProcess.run(["backup-key", file])
            #expect(again.status == 73 && again.errors.contains("exists, and a key is never overwritten"))
            #expect(try String(contentsOfFile: file, encoding: .utf8) == content)

            let other = try await SparkProcess.run(["backup-key", directory + "/other", "--json"])
            let answer = try JSONParser.parse(Array(other.output.utf8))
            #expect(answer["recipient"]?.string?.hasPrefix("age1") == true && answer["recipient"]?.string != recipient)
            let missing = try await SparkProcess.run(["backup-key", directory + "/no/such/folder/key"])
            #expect(missing.status == 73 && missing.errors.contains("No such file or directory"))
        }
    }
}
