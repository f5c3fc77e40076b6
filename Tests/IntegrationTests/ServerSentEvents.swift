import AsyncHTTPClient
import NIOCore
import SparkCore

/// The first events of an event stream, read as a browser does (WHATWG HTML, section 9.2).
enum ServerSentEvents {
    struct Event {
        let id: String?
        let data: JSONValue
    }

    static func first(_ count: Int, from url: String) async throws -> [Event] {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .minutes(10))
        var (events, text): ([Event], String) = ([], "")
        for try await chunk in response.body {
            text += String(buffer: chunk)
            while let end = text.firstRange(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n")
                let values = Dictionary(
                    lines.compactMap { line -> (String, String)? in
                        guard let colon = line.firstRange(of: ": "), colon.lowerBound != line.startIndex else { return nil }
                        return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
                    }
                ) { $0 + "\n" + $1 }
                text.removeSubrange(..<end.upperBound)
                guard let data = values["data"] else { continue }
                events.append(Event(id: values["id"], data: try JSONParser.parse(Array(data.utf8))))
                if events.count == count { return events }
            }
        }
        return events
    }
}
