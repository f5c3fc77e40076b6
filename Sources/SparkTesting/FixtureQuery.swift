import SparkClient
import SparkCore

/// The query of a call.
enum FixtureQuery {
    /// What a server accepts as a wait, in milliseconds.
    private static let waits = 0...30_000
    /// What it accepts as a number of items to wait for.
    private static let mostItems = 4_096

    /// `path?name=value&…` without the members that are nil.
    static func path(_ path: String, _ members: [(name: String, value: String?)]) -> String {
        let pairs = members.compactMap { member in member.value.map { "\(member.name)=\(SparkRequest.escaped($0))" } }
        return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
    }

    /// The members that let a call wait.
    static func waiting(count: Int, _ patience: Duration) -> [(name: String, value: String?)] {
        let wait = min(max(patience.milliseconds, Int64(waits.lowerBound)), Int64(waits.upperBound))
        return [("count", "\(min(max(count, 1), mostItems))"), ("wait_ms", "\(wait)")]
    }
}
