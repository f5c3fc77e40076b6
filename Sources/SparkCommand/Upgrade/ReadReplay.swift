import Spark

/// Repeats what the apps of people read when they start, on one server or on two, and compares the answers.
struct ReadReplay: Sendable {
    /// The server of the new version.
    let new: AnsweringServer
    /// The server of the old version; nil if there is none.
    let old: AnsweringServer?
    /// Called with the number of people who were asked for.
    var progress: @Sendable (Int) -> Void = { _ in }

    /// What an app reads first.
    static let routes = [
        "/api/v1/me", "/api/v1/me/preferences", "/api/v1/matches/suggestions?limit=20", "/api/v1/matches", "/api/v1/likes",
        "/api/v1/conversations", "/api/v1/unread", "/api/v1/blocks", "/api/v1/me/notifications",
    ]
    /// How many conversations of a person, and people in the deck, are looked at.
    private static let further = 3
    /// Tokens are issued for so many people at once, so that they stay valid.
    private static let chunk = 25
    /// So many differences are looked at again when what was noted meanwhile is stored on both sides.
    private static let mostRepeated = 1_000
    private static let settling = Duration.seconds(2)

    private struct Read: Sendable {
        let person: UserID
        let route: String
        let path: String
    }

    /// - Throws: `AnsweringServer.CannotAnswer`, `CancellationError`.
    func run(_ people: [UserID]) async throws -> ReplayReport {
        var report = ReplayReport(isCompared: old != nil)
        var doubtful: [Read] = []
        var done = 0
        for begin in stride(from: 0, to: people.count, by: Self.chunk) {
            let chunk = Array(people[begin..<min(begin + Self.chunk, people.count)])
            let tokens = try await Tokens(new: new.tokens(for: chunk), old: old?.tokens(for: chunk))
            for person in chunk where tokens.has(person) {
                report.people += 1
                try await read(as: person, tokens, &report, &doubtful)
            }
            done += chunk.count
            progress(done)
        }
        try await repeatReads(doubtful, &report)
        return report
    }

    private func read(
        as person: UserID, _ tokens: Tokens, _ report: inout ReplayReport, _ doubtful: inout [Read]
    ) async throws {
        var next = Self.routes.map { Read(person: person, route: Self.route(of: $0), path: $0) }
        while !next.isEmpty {
            let read = next.removeFirst()
            guard let answer = try await ask(read, tokens, &report) else {
                doubtful.append(read)
                continue
            }
            next += further(of: read, answer)
        }
    }

    /// What an app reads after an answer.
    private func further(of read: Read, _ answer: JSONValue) -> [Read] {
        let ids = (answer["items"]?.array ?? []).prefix(Self.further).compactMap { $0["id"]?.string }
        switch read.route {
        case "/api/v1/conversations":
            return ids.map {
                Read(
                    person: read.person, route: "/api/v1/conversations/{id}/messages",
                    path: "/api/v1/conversations/\($0)/messages?limit=50")
            }
        case "/api/v1/matches/suggestions":
            return ids.map { Read(person: read.person, route: "/api/v1/users/{id}", path: "/api/v1/users/\($0)") }
        default: return []
        }
    }

    /// Asks both servers, the old one first.
    /// - Parameter isLast: whether a difference counts; otherwise nothing is noted for it.
    /// - Returns: the new server's body; nil if the answers differ.
    private func ask(
        _ read: Read, _ tokens: Tokens, _ report: inout ReplayReport, isLast: Bool = false
    ) async throws -> JSONValue? {
        let before = try await ask(old, read, tokens.old)
        guard let after = try await ask(new, read, tokens.new) else { return nil }
        if !isLast {
            report.newTimes.append(after.duration)
            if let before { report.oldTimes.append(before.duration) }
        }
        let isEqual = before.map { AnswerComparison.agree(read.route, $0.status, $0.body, after.status, after.body) } ?? true
        guard isEqual || isLast else { return nil }
        report.note(read.route, before: before?.status, after: after.status, isEqual: isEqual)
        return after.body
    }

    private func ask(
        _ server: AnsweringServer?, _ read: Read, _ tokens: [UserID: String]?
    ) async throws -> (status: Int, body: JSONValue, duration: Duration)? {
        guard let server, let token = tokens?[read.person] else { return nil }
        return try await server.get(read.path, token: token)
    }

    /// Asks again where answers differed: that people were active is stored a moment later, and not at the same moment on both sides.
    private func repeatReads(_ reads: [Read], _ report: inout ReplayReport) async throws {
        guard !reads.isEmpty, let old else { return }
        try await Task.sleep(for: Self.settling)
        for begin in stride(from: 0, to: reads.count, by: Self.chunk) {
            let chunk = reads[begin..<min(begin + Self.chunk, reads.count)]
            guard begin < Self.mostRepeated else {
                for read in chunk { report.note(read.route, before: nil, after: 200, isEqual: false) }
                continue
            }
            let people = Array(Set(chunk.map(\.person)))
            let tokens = try await Tokens(new: new.tokens(for: people), old: old.tokens(for: people))
            for read in chunk { _ = try await ask(read, tokens, &report, isLast: true) }
        }
    }

    private static func route(of path: String) -> String { String(path.prefix { $0 != "?" }) }
}

/// The tokens of some people on both sides.
private struct Tokens {
    let new: [UserID: String]
    let old: [UserID: String]?

    init(new: [UserID: String], old: [UserID: String]?) { (self.new, self.old) = (new, old) }

    func has(_ person: UserID) -> Bool { new[person] != nil && (old.map { $0[person] != nil } ?? true) }
}

/// What a replay found. It has routes and statuses, and nothing about people.
struct ReplayReport: Sendable {
    /// Answers that differ, or that the new server did not give.
    struct Difference: Hashable, Sendable {
        let route: String
        /// Nil if only the new server was asked.
        let before: Int?
        /// 0 without an answer.
        let after: Int
    }

    let isCompared: Bool
    var people = 0
    var oldTimes: [Duration] = []
    var newTimes: [Duration] = []
    /// Answers of the new server that are as they should be: equal to the old ones, if these were asked for.
    private(set) var answered = 0
    private(set) var differences: [Difference: Int] = [:]

    init(isCompared: Bool) { self.isCompared = isCompared }

    var reads: Int { newTimes.count }
    var different: Int { differences.values.reduce(0, +) }

    mutating func note(_ route: String, before: Int?, after: Int, isEqual: Bool) {
        // These statuses are answers: a person may be hidden, a module may be off, a deck needs a place. Any other refusal says nothing
        // about the data.
        let isGiven = after == 200 || [403, 404, 409].contains(after) && (before ?? after) == after
        if isEqual, isGiven {
            answered += 1
        } else {
            differences[Difference(route: route, before: before, after: after), default: 0] += 1
        }
    }

    /// The time within which 95 % of the answers came; nil without answers.
    static func p95(_ times: [Duration]) -> Duration? {
        guard !times.isEmpty else { return nil }
        return times.sorted()[(times.count * 95 + 99) / 100 - 1]
    }
}

/// Compares answers of two versions to the same question.
enum AnswerComparison {
    /// Members that depend on the moment of the question: sealed cursors, identifiers of requests, and what follows from the activity
    /// that is noted while the questions are asked.
    static let momentary: Set<String> = ["next_cursor", "request_id", "last_active", "score"]

    /// Whether a client of the old version gets from the new one what it got before. Further members do not count, nor does a route that
    /// only the new version has; of refusals only status and code count.
    static func agree(_ route: String, _ oldStatus: Int, _ old: JSONValue, _ newStatus: Int, _ new: JSONValue) -> Bool {
        if oldStatus == 404, newStatus == 200 { return !route.contains("{") }
        guard oldStatus == newStatus else { return false }
        guard oldStatus == 200 else { return old["code"] == new["code"] }
        return has(old, in: new)
    }

    private static func has(_ old: JSONValue, in new: JSONValue) -> Bool {
        switch (old, new) {
        case (.object(let members), .object):
            members.allSatisfy { member in
                if momentary.contains(member.key) { return true }
                guard let value = new[member.key] else { return false }
                return has(member.value, in: value)
            }
        case (.array(let before), .array(let after)):
            before.count == after.count && zip(before, after).allSatisfy { has($0, in: $1) }
        case (.integer, .number), (.number, .integer): old.double == new.double
        default: old == new
        }
    }
}
