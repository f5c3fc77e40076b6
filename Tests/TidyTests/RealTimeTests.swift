import Foundation
import Testing

/// In an ephemeral server every rule follows a clock that a test moves. So each place that reads real time is known, with its
/// reason.
@Suite("Real time")
struct RealTimeTests {
    /// Reads of clocks and waits, in Swift, C and SQL.
    private static let pattern =
        #"\bDate\(\)|\bDate\.now\b|\bclock_gettime\b|\bCLOCK_[A-Z]+\b|\bkernelTime\b|\bspark_kernel_time\b|\bgettimeofday\b"#
        + #"|\btime\((?:nil|NULL)\)|\b(?:Continuous|Suspending)Clock\b|\b(?:System|Kernel)(?:Wall)?Clock\(|\bsystemUptime\b"#
        + #"|\.sleep\(|\b(?:u|nano)?sleep\(|\bNIODeadline\b|\bDispatch(?:Wall)?Time\b|\basyncAfter\b|\bmakeTimerSource\b"#
        + #"|\bschedule(?:Repeated)?Task\b|\beventLoop\.now\b|(?:^|[ (,:=+<>-])\.now\b"#
        + #"|\b(?:strftime|datetime|julianday|unixepoch|date|time)\('now|\bCURRENT_(?:TIMESTAMP|DATE|TIME)\b"#
        + #"|\b(?:unixepoch|julianday|strftime)\("#

    @Test("is read only where the list says so, with a reason")
    func listed() throws {
        let pattern = try NSRegularExpression(pattern: Self.pattern)
        var found: [String: Int] = [:]
        for file in SourceTree.product + SourceTree.foreign {
            let lines = file.lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") && Self.reads(String($0), pattern) }
            if !lines.isEmpty { found[file.path] = lines.count }
        }
        for (path, lines) in found.sorted(by: { $0.key < $1.key }) where RealTimeReads.all[path]?.lines != lines {
            Issue.record("\(path) reads real time in \(lines) lines; \(RealTimeReads.all[path]?.lines ?? 0) have a reason")
        }
        #expect(Set(RealTimeReads.all.keys).subtracting(found.keys) == [], "entries that nothing needs")
        #expect(found.count > 50, "the pattern finds what is there")
        #expect(RealTimeReads.all.values.allSatisfy { $0.reason.hasSuffix(".") && $0.reason.count > 15 })
    }

    @Test(
        "is found in every way of reading it",
        arguments: [
            ("let day = Date()", true), ("let start = ContinuousClock.now", true), ("let end: X = .now + limit", true),
            ("try await Task.sleep(for: .seconds(1))", true), ("try await clock.sleep(until: end)", true),
            ("queue.asyncAfter(deadline: .now() + 1) {", true), ("usleep(1)", true),
            ("loop.scheduleTask(in: .seconds(1)) {", true),
            (#""SELECT datetime('now')""#, true), ("DEFAULT CURRENT_TIMESTAMP", true), ("SELECT unixepoch()", true),
            ("clock_gettime(CLOCK_MONOTONIC, &now);", true), ("let now = clock.now()", false), ("transaction.now", false),
            (#"Field("now", \.now)"#, false), ("let date = CivilDate(text)", false),
        ])
    func patterns(_ code: String, _ isRead: Bool) throws {
        let reads = try Self.reads(code, NSRegularExpression(pattern: Self.pattern))
        #expect(reads == isRead)
    }

    private static func reads(_ line: String, _ pattern: NSRegularExpression) -> Bool {
        pattern.firstMatch(in: line, range: NSRange(line.startIndex..., in: line)) != nil
    }

    @Test("decides about no loop of a service: work at intervals is registered with its kind")
    func loops() throws {
        let pattern = try Regex<Substring>(#"while .*Task\.sleep|Task\.sleep\(for: Self\.interval\)"#)
        let loops = SourceTree.product.filter { !$0.lines(with: pattern).isEmpty }.map(\.path)
        let known = [
            "Sources/SparkBackup/S3/S3Client.swift", "Sources/SparkCommand/ProcessEnvironment.swift",
            "Sources/SparkHTTP/TLS/CertificateWatch.swift", "Sources/SparkServer/Backup/ArchiveService.swift",
            "Sources/SparkServer/Backup/BackupService.swift", "Sources/SparkServer/Backup/DrillService.swift",
            "Sources/SparkServer/Time/TimedWorkService.swift",
        ]
        #expect(loops.sorted() == known)
    }
}
