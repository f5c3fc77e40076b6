import Foundation
import Glibc
import Logging
import SparkServer

/// The log of a server: a file without a name, which goes away with this value or the process.
final class FixtureDiary: Sendable {
    /// The longest part that is shown, in bytes.
    private static let longest: Int64 = 65_536

    let descriptor: Int32

    init() throws(SparkFixture.Failure) {
        let path = FileManager.default.temporaryDirectory.appending(path: "spark-log-\(UUID().uuidString)").path
        self.descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SparkFixture.Failure(.didNotStart("its log cannot be written: \(String(cString: strerror(errno)))"))
        }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Writes warnings and worse. It keeps this value: the descriptor must stay open while a server logs.
    var logger: Logger {
        Logger(label: "spark") { [self] _ in
            var handler = FixtureLogHandler(diary: self)
            handler.logLevel = .warning
            return handler
        }
    }

    /// How much is written, in bytes.
    var length: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// What was written from an offset on; of a long text the end.
    func text(from offset: Int64 = 0) -> String {
        let end = length
        let start = max(offset, end - Self.longest, 0)
        guard end > start else { return "" }
        var bytes = [UInt8](repeating: 0, count: Int(end - start))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// Writes the log to the standard error stream, unless the error has it already.
    func show(after error: any Error, from offset: Int64 = 0) {
        let text = text(from: offset)
        guard !(error is SparkFixture.Failure), !text.isEmpty else { return }
        FileHandle.standardError.write(Data("The server's log:\n\(text)".utf8))
    }
}

/// Writes to a diary, and keeps it.
private struct FixtureLogHandler: LogHandler {
    private let diary: FixtureDiary
    private var lines: LineLogHandler

    init(diary: FixtureDiary) {
        self.diary = diary
        self.lines = LineLogHandler(format: .text, output: LogOutput(descriptor: diary.descriptor))
    }

    var logLevel: Logger.Level {
        get { lines.logLevel }
        set { lines.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { lines.metadata }
        set { lines.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { lines.metadataProvider }
        set { lines.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { lines[metadataKey: key] }
        set { lines[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { lines.log(event: event) }
}
