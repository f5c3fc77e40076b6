import Foundation
import Logging
import SparkCore
import SparkKit
import SparkServer
import Testing

@Suite("Log lines")
struct LogTests {
    private func lines(_ format: LineLogHandler.Format, isBuffered: Bool, _ log: (Logger) -> Void) throws -> [String] {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
        var logger = Logger(label: "test") { _ in
            LineLogHandler(format: format, output: output, isBuffered: isBuffered, clock: clock)
        }
        logger[metadataKey: "request_id"] = "r-1"
        log(logger)
        output.flush()
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    @Test("a line of text stays one line, whatever is in it")
    func text() throws {
        let lines = try lines(.text, isBuffered: false) { logger in
            logger.error("failed\nforged info", metadata: ["error": "a \"b\"\u{1B}[1m", "empty": "", "plain": "x"])
            logger.debug("not written")
        }
        #expect(
            lines == [
                #"2026-03-01T12:00:00.000Z error spark: failed\u{a}forged info empty="" error="a \"b\"\\u{1b}[1m" plain=x request_id=r-1"#
            ])
    }

    @Test("a line of JSON is one object with the message and everything beside it", arguments: [true, false])
    func json(isBuffered: Bool) throws {
        let lines = try lines(.json, isBuffered: isBuffered) { logger in
            logger.info("request", metadata: ["status": "200", "list": ["a", "b"], "time": "forged"])
            logger.warning("second\nline")
        }
        #expect(lines.count == 2)
        let first = try JSONParser.parse(Array(lines[0].utf8))
        #expect(first["level"] == "info" && first["message"] == "request" && first["status"] == "200")
        #expect(first["request_id"] == "r-1" && first["list"] == "[a, b]" && first["time"] == "2026-03-01T12:00:00.000Z")
        #expect(try JSONParser.parse(Array(lines[1].utf8))["message"] == "second\nline")
    }

    @Test("numbers and booleans stay such in JSON, and values that are not finite numbers are text")
    func numbers() throws {
        let lines = try lines(.json, isBuffered: false) { logger in
            logger.info(
                "request",
                metadata: [
                    "status": .stringConvertible(405), "duration_ms": .stringConvertible(1.25), "on": .stringConvertible(true),
                    "large": .stringConvertible(UInt64.max), "none": .stringConvertible(Double.nan), "word": "200",
                ])
        }
        let line = try JSONParser.parse(Array(lines[0].utf8))
        #expect(line["status"] == .integer(405) && line["duration_ms"] == .number(1.25) && line["on"] == .bool(true))
        #expect(line["large"] == .string("\(UInt64.max)") && line["none"] == "nan" && line["word"] == "200")
    }

    @Test("a reader that stops reading delays nobody, and learns how much it missed")
    func slowReader() throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        var logger = Logger(label: "test") { _ in LineLogHandler(format: .json, output: output, isBuffered: true) }
        logger.logLevel = .info
        let filler = String(repeating: "x", count: 1_000)
        for _ in 0..<5_000 { logger.info("\(filler)") }
        // Reads on its own thread while the waiting lines are written.
        let done = DispatchSemaphore(value: 0)
        let collected = Collected()
        Thread.detachNewThread {
            collected.set(pipe.fileHandleForReading.readDataToEndOfFile())
            done.signal()
        }
        output.flush()
        try pipe.fileHandleForWriting.close()
        done.wait()
        let lines = String(decoding: collected.data, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains { $0.contains("log lines were dropped") })
        #expect(lines.count < 5_000)
    }
}

private final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var value = Data()
    var data: Data { lock.withLock { value } }
    func set(_ data: Data) { lock.withLock { value = data } }
}
