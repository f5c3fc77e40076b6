public import SparkCore

extension SparkFixture {
    /// What went wrong with a server for tests. The description ends with the server's log.
    public struct Failure: Error, CustomStringConvertible {
        /// The kinds of failures.
        public enum Reason: Sendable {
            /// No server belongs to the running test.
            case noServer
            /// There is no binary to start.
            case noBinary
            /// The server did not start; the reason.
            case didNotStart(String)
            /// The server did not answer; the transport's error.
            case unreachable(String)
            /// The server refused a call; its problem document (RFC 9457).
            case refused(call: String, status: Int, problem: JSONValue)
            /// The server gave an answer that this client does not understand; what is missing.
            case unexpected(String)
            /// The person has no tokens: the account is closed, suspended or erased.
            case notSignedIn(String)
            /// The server did not end in order; how it ended.
            case didNotStop(String)
        }

        /// What went wrong.
        public let reason: Reason
        /// What the server had logged until then; empty if there was none.
        public let log: String

        init(_ reason: Reason, log: String = "") {
            self.reason = reason
            self.log = log
        }

        /// The reason, and then the log.
        public var description: String { log.isEmpty ? sentence : "\(sentence)\nThe server's log:\n\(log)" }

        private var sentence: String {
            switch reason {
            case .noServer: "the test has no server; add the trait .spark() to it or to its suite"
            case .noBinary: "there is no spark on the PATH; set SPARK_BINARY to the path of the binary"
            case .didNotStart(let cause): "the server did not start: \(cause)"
            case .unreachable(let cause): "the server did not answer: \(cause)"
            case .refused(let call, let status, let problem): "\(call): \(status) \(JSONWriter.string(of: problem))"
            case .unexpected(let cause): "an answer is not as expected: \(cause)"
            case .notSignedIn(let name): "\(name) has no tokens: the account is closed, suspended or erased"
            case .didNotStop(let cause): "the server did not end in order: \(cause)"
            }
        }
    }
}
