import Foundation
import Glibc
import Spark

/// Standard output and standard error.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes one line to standard output, unbuffered.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    /// Ends a line that was written in parts.
    static func endLine() { FileHandle.standardOutput.write(Data("\n".utf8)) }

    static func say(json value: some JSONWritable) { say(JSONWriter.string(of: value)) }

    /// Writes one line to standard error.
    static func fail(_ line: String) {
        FileHandle.standardError.write(Data("spark: \(line)\n".utf8))
    }
}

extension Terminal {
    /// Writes a line to standard error that is not an error.
    static func note(_ line: String) {
        FileHandle.standardError.write(Data("spark: note: \(line)\n".utf8))
    }

    /// `1 fault`, `2 faults`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
