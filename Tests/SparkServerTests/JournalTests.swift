import Foundation
import Glibc
import Logging
import SparkServer
import SparkTestSupport
import Testing

@Suite("Log entries in the journal")
struct JournalTests {
    private func logger(_ output: JournalOutput, isBuffered: Bool = false) -> Logger {
        var logger = Logger(label: "test") { _ in JournalLogHandler(output: output, isBuffered: isBuffered) }
        logger[metadataKey: "request_id"] = "r-1"
        return logger
    }

    @Test("have the message, the priority and each value as a field", arguments: [true, false])
    func fields(isBuffered: Bool) throws {
        let journal = try FakeJournal()
        let logger = logger(JournalOutput(path: journal.path), isBuffered: isBuffered)
        logger.error("the disk is full", metadata: ["free bytes": "0", "text": "two\nlines\nMESSAGE=forged", "_pid": "1"])
        let (isFile, fields) = try journal.next()
        #expect(!isFile)
        #expect(
            fields == [
                "PRIORITY": "3", "SYSLOG_IDENTIFIER": "spark", "SPARK_REQUEST_ID": "r-1", "SPARK_FREE_BYTES": "0",
                "SPARK__PID": "1", "SPARK_TEXT": "two\nlines\nMESSAGE=forged",
                "MESSAGE":
                    #"the disk is full _pid=1 free bytes=0 request_id=r-1 text="two\\u{a}lines\\u{a}MESSAGE=forged""#,
            ])
        logger.info("next")
        #expect(try journal.next().fields["PRIORITY"] == "6")
    }

    @Test("too large for a datagram come as a sealed file, and are cut off beyond a limit")
    func large() throws {
        let journal = try FakeJournal()
        let logger = logger(JournalOutput(path: journal.path))
        let text = String(repeating: "é", count: 250_000)
        logger.info("\(text)")
        let (isFile, fields) = try journal.next()
        #expect(isFile)
        #expect(fields["MESSAGE"] == "\(text) request_id=r-1")
        logger.info("\(text)\(text)", metadata: ["more": "\(text)"])
        let cut = try journal.next().fields
        let message = try #require(cut["MESSAGE"])
        #expect(message.hasPrefix(text) && message.utf8.count < 524_288 && cut["SPARK_MORE"] == nil)
        #expect(cut["SPARK_REQUEST_ID"] == "r-1")
    }

    @Test("wait in a bounded queue while the journal is stuck; the others are counted, and nothing is said out of order")
    func stuck() throws {
        let journal = try FakeJournal()
        let output = JournalOutput(path: journal.path)
        let logger = logger(output)
        let padding = String(repeating: "x", count: 4_000)
        for number in 0..<1_000 { logger.info("\(number) \(padding)") }
        var last = -1
        while true {
            let fields = try journal.next().fields
            let message = try #require(fields["MESSAGE"])
            if message.contains("log lines were dropped") {
                let dropped = try #require(message.split(separator: " ").first.flatMap { Int($0) })
                #expect(dropped > 0 && last + 1 + dropped == 1_000)
                #expect(fields["PRIORITY"] == "4")
                break
            }
            let number = try #require(message.split(separator: " ").first.flatMap { Int($0) })
            #expect(number == last + 1)
            last = number
        }
        output.flush()
        logger.info("after")
        #expect(try journal.next().fields["MESSAGE"] == "after request_id=r-1")
    }

    @Test("go to standard error where no journal is")
    func gone() throws {
        let pipe = Pipe()
        let fallback = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        logger(JournalOutput(path: "/nonexistent/journal", fallback: fallback)).error("the disk is full")
        fallback.flush()
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text == "spark: the disk is full request_id=r-1\n")
    }

    @Test("are sent when JOURNAL_STREAM names standard error, and not when it names another file")
    func detection() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        var status = stat()
        #expect(fstat(descriptor, &status) == 0)
        #expect(JournalOutput.isJournal(descriptor, stream: "\(status.st_dev):\(status.st_ino)"))
        for stream in [nil, "", "1", "\(status.st_dev):\(status.st_ino + 1)", "\(status.st_dev + 1):\(status.st_ino)", "a:b"] {
            #expect(!JournalOutput.isJournal(descriptor, stream: stream), "\(stream ?? "nil")")
        }
    }
}
