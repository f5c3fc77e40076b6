import ArgumentParser
import Foundation
import Glibc
import Spark

/// Standard output and standard error.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes one line to standard output, unbuffered.
    static func say(_ line: String) { show("\(line)\n") }

    /// Writes text that has its own final line break. Ends the process if that fails: an answer that is not whole is no success.
    static func show(_ text: String) {
        let code = write(text, to: STDOUT_FILENO)
        guard code != 0 else { return }
        // Like a program that a closed pipe ends by its signal.
        if code == EPIPE { exit(128 + SIGPIPE) }
        fail("standard output: \(String(cString: strerror(code)))")
        exit(ExitCodes.ioError.rawValue)
    }

    /// Writes text to standard error, as far as that takes it.
    static func showError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

    /// - Returns: 0, or the errno of a write that failed.
    static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else { return count < 0 ? errno : EIO }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    /// Ends a line that was written in parts.
    static func endLine() { show("\n") }

    static func say(json value: some JSONWritable) { say(JSONWriter.string(of: value)) }

    /// Writes one line to standard error, and a second one where rights that the process gave up may be the reason.
    static func fail(_ line: String) {
        showError("spark: \(line)\n")
        if let remark = DataOwner.remark(on: line) { note(remark) }
    }
}

extension Terminal {
    /// Writes a line to standard error that is not an error.
    static func note(_ line: String) {
        showError("spark: note: \(line)\n")
    }

    /// `1 fault`, `2 faults`.
    static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? "\(noun)s")"
    }
}
