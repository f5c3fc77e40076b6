import NIOHTTP1
import SparkCore

/// A provider's HTTP response.
struct ProviderAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    /// Nil when the body is not JSON, as those of proxies.
    var json: JSONValue? { try? JSONParser.parse(body) }

    /// The `Retry-After` header: seconds, or a point in time (RFC 9110, section 10.2.3). At most a day.
    func retryAfter(_ now: Timestamp) -> Duration? {
        guard let text = headers.first(name: "retry-after") else { return nil }
        if let seconds = Int(text) { return .seconds(min(max(0, seconds), 86_400)) }
        return HTTPDate.parse(text).map { min(max(.zero, $0 - now), .days(1)) }
    }

    /// Whether the provider's clock differs by more than five minutes, the most common cause of refused signatures.
    func contradicts(_ now: Timestamp) -> Bool {
        guard let theirs = headers.first(name: "date").flatMap(HTTPDate.parse) else { return false }
        return abs((theirs - now).inSeconds) > 300
    }
}

/// HTTP's date format: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). The two obsolete formats are not supported.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func parse(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), (1...9_999).contains(year), (1...31).contains(day)
        else { return nil }
        let clock = parts[4].split(separator: ":").map { Int($0) ?? -1 }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]),
            let date = CivilDate(year: year, month: month + 1, day: day)
        else { return nil }
        let seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(clock[0] * 3_600 + clock[1] * 60 + clock[2])
        return Timestamp(milliseconds: seconds * 1_000)
    }
}
