import SparkCore
import SparkKit

/// The body of `POST /faults`.
struct FaultForm: RequestBody {
    let name: FaultName
    let times: Int
    /// Without the person.
    let match: FaultMatch
    /// The person, by id or name.
    let user: String?

    /// The platforms as `PUT /me/devices/{id}` has them.
    private static let providers = ["apns", "fcm", "webpush", "log"]
    private static let delays = 1...60_000

    static let body = BodyFields<FaultForm>("FaultRequest", "What is to go wrong, and when.", read: read) {
        name
        times
        delay
        Field<FaultForm, Members?>(
            optional: "match", { _ in nil }, .object, "Which occasions; which members are possible depends on the name.")
    }

    private static let name = Field<FaultForm, FaultName>(
        "name", \.name,
        .word(format: "one of \(FaultName.wireWords.joined(separator: ", "))").example(.string(FaultName.httpDelay.wire)))
    private static let times = Field<FaultForm, Int>(
        "times", \.times, .integer(1...1_000_000), default: 1, "On how many occasions.")
    private static let delay = Field<FaultForm, Int?>(
        optional: "delay_ms", { _ in nil }, .integer(delays).example(250), isInExample: false, "The same as in match.")

    /// The members of `match`, as the document shows them.
    struct Members: JSONObject {
        static let fields = Fields<Members>("FaultRequestMatch", "Which occasions of a fault; absent members fit all.") {
            text("user", "Of push.fail, push.throttle and stream.drop: a person, by id or name.")
            text("provider", "Of push.fail and push.throttle: \(providers.joined(separator: ", ")).")
            text("kind", "Of push.fail and push.throttle: the kind of the push.")
            text("route", "Of http.delay: the path, with its parameters' values or names.", "/api/v1/swipes", true)
            text("method", "Of http.delay.", "POST", true)
            Field<Members, Int?>(
                optional: "delay_ms", { _ in nil }, .integer(delays).example(250), "Of writer.slow and http.delay: the wait.")
        }

        private static func text(
            _ name: String, _ summary: String, _ example: String = "log", _ isInExample: Bool = false
        ) -> Field<Members, String?> {
            Field(
                optional: name, { _ in nil }, .string(1...2_048).example(.string(example)), isInExample: isInExample, summary)
        }
    }

    private static func read(from reader: inout ObjectReader) -> FaultForm? {
        let (name, times, delay) = (name.read(from: &reader), times.read(from: &reader), delay.read(from: &reader))
        let given = reader.member("match") ?? .object([])
        guard let name, let times, let delay else { return nil }
        guard case .object(let members) = given else {
            reader.refuse("match", "type", "An object is expected.")
            return nil
        }
        let known = name.matchers
        guard members.allSatisfy({ known.contains($0.key) }) else {
            let list = known.isEmpty ? "none" : known.joined(separator: ", ")
            reader.refuse("match", "unknown", "The matchers of \(name.wire) are: \(list).")
            return nil
        }
        let matcher = reader.optionalObject("match") { Matcher(&$0) }
        if delay != nil, !known.contains("delay_ms") {
            reader.refuse("delay_ms", "unknown", "The matchers of \(name.wire) are: \(known.joined(separator: ", ")).")
        }
        if known.contains("delay_ms"), delay == nil, !members.contains(where: { $0.key == "delay_ms" }) {
            reader.refuse("match/delay_ms", "missing", "This member is required.")
        }
        if name == .streamDrop, !members.contains(where: { $0.key == "user" }) {
            reader.refuse("match/user", "missing", "This member is required.")
        }
        var match = matcher?.match ?? FaultMatch()
        if let delay { match.delay = .milliseconds(delay) }
        return FaultForm(name: name, times: times, match: match, user: matcher?.user)
    }

    /// Reads `match`.
    private struct Matcher {
        var match = FaultMatch()
        let user: String?

        init(_ reader: inout ObjectReader) {
            user = reader.optionalString("user", length: 1...64)
            match.provider = reader.optional("provider", format: "one of \(providers.joined(separator: ", "))") {
                providers.contains($0) ? $0 : nil
            }
            match.kind = reader.optionalString("kind", length: 1...64)
            match.route = reader.optional("route", format: "a path that begins with /, but none of \(FixturePath.prefix)") {
                path in
                path.hasPrefix("/") && !FixturePath.contains(path) ? path : nil
            }
            match.method = reader.optional("method", format: "a method in capitals") { text in
                text.utf8.allSatisfy { (0x41...0x5A).contains($0) } ? text : nil
            }
            match.delay = reader.optionalInteger("delay_ms", delays).map { .milliseconds($0) }
        }
    }
}

extension FaultName {
    /// The members of `match` that mean something for the fault.
    var matchers: [String] {
        switch self {
        case .pushFail, .pushThrottle: ["user", "provider", "kind"]
        case .writerSlow: ["delay_ms"]
        case .diskFull: []
        case .streamDrop: ["user"]
        case .httpDelay: ["route", "method", "delay_ms"]
        }
    }
}
