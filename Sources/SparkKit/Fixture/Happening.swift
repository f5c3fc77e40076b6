package import SparkCore

/// Something that happened in the server, for tests that look at it. It is kept as it was and written only when a test asks.
package struct Happening: Sendable {
    /// What kind of thing happened.
    package enum Kind: String, WireWord {
        /// A module published an event with a commit.
        case domain
        /// A numbered event of a person's stream.
        case stream
        /// An unnumbered frame to a person's devices.
        case notice
        /// A fault that the test had asked for occurred.
        case fault

        package static let schemaName = "HappeningKind"
        package static let summary = "What kind of thing happened."
    }

    private enum Subject: Sendable {
        case event(any SparkEvent)
        case frame(Kind, UserID, [UInt8])
        case fault(FaultBoard.Fault)
    }

    private let subject: Subject
    /// When it happened, by the server's clock.
    package let at: Timestamp

    /// A module's event was committed.
    package init(_ event: any SparkEvent, at: Timestamp) { (subject, self.at) = (.event(event), at) }

    /// A fault occurred.
    package init(_ fault: FaultBoard.Fault, at: Timestamp) { (subject, self.at) = (.fault(fault), at) }

    /// A frame went to a person; nil for an answer to one device.
    package init?(_ delivery: StreamDelivery, at: Timestamp) {
        switch delivery {
        case .event(let user, _, let frame): subject = .frame(.stream, user, frame)
        case .notice(let user, let frame): subject = .frame(.notice, user, frame)
        case .reply: return nil
        }
        self.at = at
    }

    /// What kind of thing happened.
    package var kind: Kind {
        switch subject {
        case .event: .domain
        case .frame(let kind, _, _): kind
        case .fault: .fault
        }
    }

    /// `module.past_tense` of an event, the type of a frame, or the name of a fault.
    package var name: String {
        switch subject {
        case .event(let event): type(of: event).name
        case .frame(_, _, let frame): Self.value(of: frame)["type"]?.string ?? ""
        case .fault(let fault): fault.name.rawValue
        }
    }

    /// The people that it is about, each once: of a frame its receiver, of an event everybody whose identifier it has.
    package var people: [UserID] {
        switch subject {
        case .event(let event):
            var people: [UserID] = []
            Self.collect(from: event, into: &people)
            return people
        case .frame(_, let user, _): return [user]
        case .fault(let fault): return fault.match.user.map { [$0] } ?? []
        }
    }

    /// Appends the people in a value and in its properties, each once.
    private static func collect(from value: Any, into people: inout [UserID]) {
        if let person = value as? UserID {
            if !people.contains(person) { people.append(person) }
        } else {
            for child in Mirror(reflecting: value).children { collect(from: child.value, into: &people) }
        }
    }

    /// The members of an event, the frame, or what the fault applied to.
    package var data: JSONValue {
        switch subject {
        case .event(let event): Self.json(of: event)
        case .frame(_, _, let frame): Self.value(of: frame)
        case .fault(let fault): Self.value(of: JSONWriter.bytes(of: FaultView(fault)))
        }
    }

    private static func value(of text: [UInt8]) -> JSONValue { (try? JSONParser.parse(text)) ?? .null }

    /// The value as JSON, by its properties. Values that have no form of their own on the wire become texts.
    private static func json(of value: Any) -> JSONValue {
        switch value {
        case let text as String: return .string(text)
        case let number as any FixedWidthInteger: return .integer(Int64(clamping: number))
        case let number as Double: return .number(number)
        default: break
        }
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional { return mirror.children.first.map { json(of: $0.value) } ?? .null }
        if let value = value as? any FieldValue { return Self.value(of: value.written) }
        switch mirror.displayStyle {
        case .struct, .tuple:
            return .object(mirror.children.map { JSONMember(snakeCase($0.label ?? ""), json(of: $0.value)) })
        case .collection, .set: return .array(mirror.children.map { json(of: $0.value) })
        default: return .string("\(value)")
        }
    }

    /// `isSuperlike` as `is_superlike`.
    private static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
    }
}

/// A fault as tests see it.
package struct FaultView: JSONObject {
    private let fault: FaultBoard.Fault

    /// The view of a fault.
    package init(_ fault: FaultBoard.Fault) { self.fault = fault }

    package static let fields = Fields<FaultView>("Fault", "What goes wrong, on how many occasions.") {
        Field("name", \.fault.name)
        Field("times", \.fault.times, .integer, "On how many occasions in all.")
        Field("used", \.fault.used, .integer.example(0), "On how many occasions so far.")
        Field("match", { MatchView(match: $0.fault.match) }, "Which occasions.")
    }

    /// The occasions of a fault.
    struct MatchView: JSONObject {
        let match: FaultMatch

        static let fields = Fields<MatchView>("FaultOccasions", "Which occasions a fault applies to.") {
            Field(optional: "user", \.match.user)
            Field(optional: "provider", \.match.provider, .string.example("log"))
            Field(optional: "kind", \.match.kind, .string.example("message"))
            Field(optional: "route", \.match.route, .string.example("/api/v1/swipes"))
            Field(optional: "method", \.match.method, .string.example("POST"))
            Field(optional: "delay_ms", { $0.match.delay.map { $0.milliseconds } }, .integer.example(250))
        }
    }
}
