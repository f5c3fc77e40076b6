import SparkCore
import SparkTestSupport

/// Everything that some people can read on a server, as whole answers.
struct AllAnswers: Equatable {
    private static let paths = [
        "/me", "/me/preferences", "/matches", "/likes", "/matches/suggestions?limit=50", "/conversations", "/me/devices",
        "/me/notifications", "/auth/sessions", "/me/deck/why", "/messages/search?q=hello", "/blocks",
    ]

    private var byPath: [String: String] = [:]

    /// - Parameter people: whose requests these are; every one also asks for every other.
    init<Server: PeopleServer>(of people: [Person<Server>]) async throws {
        for (number, person) in people.enumerated() {
            var paths = Self.paths + people.map { "/users/\($0.id.wire)?view=full" }
            let conversations = try await person.server.call("GET", "/conversations", person).json["items"]?.array ?? []
            for conversation in conversations {
                paths.append("/conversations/\(conversation["id"]?.string ?? "")/messages?limit=100")
            }
            for path in paths {
                let answer = try await person.server.call("GET", path, person)
                // A refusal has the number of its request.
                let body = answer.status < 400 ? answer.body : answer.json["code"]?.string ?? ""
                byPath["\(number) \(path)"] = "\(answer.status) \(answer.headers["etag"] ?? "") \(body)"
            }
        }
    }

    /// The first paths whose answers differ.
    func differences(from other: AllAnswers) -> [String] {
        Set(byPath.keys).union(other.byPath.keys).filter { byPath[$0] != other.byPath[$0] }.sorted().prefix(5).map {
            "\($0): \(byPath[$0] ?? "none") | \(other.byPath[$0] ?? "none")"
        }
    }
}
