import Foundation
import Glibc
import Logging
import Spark
import SparkServer

/// Logs to standard error, one line per entry, or to systemd's journal.
enum CommandLogger {
    /// The variable that names another socket than the journal's, for tests.
    private static let pathVariable = "SPARK_JOURNAL_SOCKET"

    private static let journal = JournalOutput(
        path: ProcessInfo.processInfo.environment[pathVariable] ?? JournalOutput.standardPath)

    /// - Parameter level: the minimum level, unless the level was set for this run.
    static func make(_ configuration: LoadedConfiguration, atLeast level: Logger.Level = .trace) -> Logger {
        let process: ServerConfiguration = configuration.section("server")
        var logger = make(process.logLevel, format: process.logFormat, isJournal: isJournal(process))
        if configuration.origins["server.log_level"] == nil { logger.logLevel = max(logger.logLevel, level) }
        return logger
    }

    static func make(_ level: String, format: String = "text", isJournal: Bool = false) -> Logger {
        var logger = Logger(label: "spark") { _ in
            if isJournal { return JournalLogHandler(output: journal) }
            return LineLogHandler(format: LineLogHandler.Format(rawValue: format) ?? .text, output: .standardError)
        }
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }

    /// For large volumes: a separate thread writes the log, so that no request waits for a slow reader.
    static func makeBuffered(_ configuration: LoadedConfiguration) -> Logger {
        let process: ServerConfiguration = configuration.section("server")
        let isJournal = isJournal(process)
        return Logger(label: "spark") { _ in
            if isJournal { return JournalLogHandler(output: journal, isBuffered: true) }
            return LineLogHandler(
                format: LineLogHandler.Format(rawValue: process.logFormat) ?? .text, output: .standardError, isBuffered: true)
        }
    }

    /// Waits until what was logged is written, as far as its readers take it.
    static func flush() {
        journal.flush()
        LogOutput.standardError.flush()
    }

    private static func isJournal(_ process: ServerConfiguration) -> Bool {
        switch process.logTarget {
        case "journald": true
        case "stderr": false
        default: JournalOutput.isJournal(STDERR_FILENO, stream: ProcessInfo.processInfo.environment["JOURNAL_STREAM"])
        }
    }
}
