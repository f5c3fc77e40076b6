import SparkClient
import SparkCore

extension SparkClient {
    /// A client that waits two minutes for an answer: many tests share few processors, and a deadline of theirs measures nothing.
    package init(patient url: String, token: String? = nil) {
        self.init(url: url, token: token, timeout: .minutes(10))
    }
}
