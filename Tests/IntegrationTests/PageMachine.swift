import Foundation
import SparkClient
import SparkCore
import SparkTestSupport

/// A folder that plays the machine of the operators' pages: `/etc`, `/var`, `/mnt` and `/srv` are in it, and a server with a demo town
/// runs on `/var/lib/spark`, with backups in `/mnt/backups`.
struct PageMachine {
    /// The moment and the entry of the operators' log that pages restore.
    private static let (moment, entry) = ("2026-03-01T09:30:00Z", "--before 412")
    private static let folders = [
        "etc/spark", "etc/systemd/system", "etc/logrotate.d", "etc/letsencrypt/renewal-hooks/deploy", "var/lib", "var/log",
        "var/tmp", "mnt", "srv",
        "work",
    ]

    private let root: String
    private let spark: SparkProcess
    /// Defines what the README's commands left in the shell.
    private let readme: String

    static func run(_ body: (PageMachine) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "spark-page-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        for folder in folders {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        let settings = "backup:\n  to: \(root)/mnt/backups\n  archive_every_ms: 100\n"
        try Data(settings.utf8).write(to: URL(filePath: "\(root)/etc/spark/spark.yaml"))
        try Data("SPARK_HTTP_READS_PER_MINUTE=6000\n".utf8).write(to: URL(filePath: "\(root)/etc/spark/spark.env"))
        let readme = try await ReadmeTown.shared.copy(to: "\(root)/var/lib/spark")
        try await withSpark(["--config", "\(root)/etc/spark/spark.yaml", "--data", "\(root)/var/lib/spark"]) { spark in
            try await until("there is a backup", every: .milliseconds(50)) {
                let verbose = try await spark.client.call("GET", "/readyz?verbose=1")
                return verbose["notes"]?["backup"]?.string?.contains("the last one is of") == true
            }
            try await body(PageMachine(root: root, spark: spark, readme: readme))
        }
    }

    /// Runs commands in one shell, as far as they can run, with the variables of the README.
    /// - Returns: what they print, and 0 unless one of them failed.
    func run(_ commands: [PageCommand]) async throws -> (status: Int32, output: String) {
        var script = [
            "exec 2>&1; set -u", readme, "URL='\(spark.url)'",
            "PATH='\(SparkProcess.binary.deletingLastPathComponent().path)':\"$PATH\"",
            "export SPARK_SERVER_DATA='\(root)/var/lib/spark' SPARK_CONFIG='\(root)/etc/spark/spark.yaml'",
            // A reader such as head may end before what it reads from.
            #"check() { for code in "${@:2}"; do [ $code = 0 ] || [ $code = 141 ] || { echo "failed: $1, exit codes ${*:2}"; exit 1; }; done; }"#,
        ]
        if commands.contains(where: { $0.text.contains(Self.moment) || $0.text.contains(Self.entry) }) {
            script.append(rememberMoment)
        }
        for command in commands {
            let place = "\(command.page):\(command.line)"
            if let reason = Self.obstacle(to: command) {
                script.append("echo \(Self.quoted("\(place): \(reason)"))")
            } else {
                script.append("echo \(Self.quoted("\(place): \(command.text)"))")
                script += [mapped(command.text), #"check '\#(place)' "${PIPESTATUS[@]}""#]
            }
        }
        let whole = script.joined(separator: "\n")
        let folder = "\(root)/work"
        return try await onOwnThread {
            try ChildProcess("/usr/bin/timeout", ["240", "/bin/bash", "-c", whole], folder: folder).finish()
        }
    }

    /// Sets `MOMENT` to a time and `ENTRY` to an entry that the archive has: each look at the people is an entry of its own.
    private var rememberMoment: String {
        """
        until [ -n "${RANGE:-}" ] && [[ ${RANGE% *} < $MOMENT && ${RANGE#* } > $MOMENT ]]; do
            MOMENT=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ); sleep 0.05; spark user find ada > /dev/null
            ENTRY=$(spark operator-log --limit 1 --json | sed -n 's/.*"seq":\\([0-9]*\\).*/\\1/p'); sleep 0.2
            RANGE=$(spark restore '\(root)/mnt/backups' --list --json | sed -n 's/.*"from":"\\([^"]*\\)","to":"\\([^"]*\\)".*/\\1 \\2/p')
        done
        """
    }

    /// Why a command is not run: it cannot run in a test, or one of its programs is not installed.
    static func obstacle(to command: PageCommand) -> String? {
        if let reason = UnrunCommands.reason(command) { return "not run: \(reason)" }
        let programs = command.parts.compactMap(\.first).filter(UnrunCommands.outside.contains)
        return programs.first { !isInstalled($0) }.map { "skipped: \($0) is not installed" }
    }

    static func isInstalled(_ program: String) -> Bool {
        let path = "\(ProcessInfo.processInfo.environment["PATH"] ?? ""):/usr/sbin"
        let folders: [Substring] = path.split(separator: ":")
        return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }

    /// A page's text with this machine's addresses and paths.
    private func mapped(_ text: String) -> String {
        func address(_ url: String) -> String { url.replacing("http://", with: "") }
        return
            text
            .replacing(/(^|[\s="'>(])\/(etc|var|mnt|srv)\//.anchorsMatchLineEndings()) { "\($0.output.1)\(root)/\($0.output.2)/" }
            .replacing(/sudo (?:-u [a-z]+ )?/, with: "")
            // Where a page makes a server of its own, no settings are around.
            .replacing("spark serve --data ./example", with: "env SPARK_CONFIG= spark serve --data ./example")
            .replacing("./spark_data", with: "\(root)/var/lib/spark")
            .replacing("127.0.0.1:7775", with: address(spark.url))
            .replacing("127.0.0.1:7776", with: address(spark.readyLine["operator_url"]?.string ?? ""))
            .replacing("$PWD/.build/release", with: SparkProcess.binary.deletingLastPathComponent().path)
            .replacing(Self.moment, with: "$MOMENT")
            .replacing(Self.entry, with: "--before $ENTRY")
    }

    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: #"'\''"#))'" }
}
