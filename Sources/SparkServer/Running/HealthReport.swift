import HTTPTypes
import SparkCore
import SparkKit

/// The answer of a health probe.
struct HealthReport: JSONObject {
    /// Whether the server can do its work.
    enum Status: String, WireWord {
        case ok, unavailable

        static let schemaName = "HealthStatus"
        static let summary = "Whether the server can do its work."
    }

    let status: Status
    /// What was checked and what is wrong with it; nil where nothing is checked.
    let checks: [JSONMember]?
    /// What is known beside the checks; nil unless it was asked for.
    var notes: [JSONMember]?

    static let fields = Fields<HealthReport>("Health", "The answer of a health probe.") {
        Field("status", \.status)
        Field(optional: "checks", \.checks, checks, "What was checked.")
        Field(optional: "notes", \.notes, notesOfParts, "With ?verbose: what is known beside the checks.")
    }

    /// The names follow from the modules that run, so the object is open.
    private static let checks = FieldType<[JSONMember]>(
        Schema.map(of: .string(), example: ["database": "ok", "disk": "ok"])
            .named("HealthChecks", "What is wrong with each part of the server; ok if nothing is.")
    ) { JSONValue.object($0).write(to: &$1) }
}

extension HealthReport {
    private static let notesOfParts = FieldType<[JSONMember]>(
        Schema.map(of: .string(), example: ["backup": "there is none"])
            .named("HealthNotes", "What is known about each part of the server, in words.")
    ) { JSONValue.object($0).write(to: &$1) }
}

extension Route {
    /// The probe of the process: it answers.
    static let liveness = Route(
        .get, "/healthz", "Whether the process answers", access: .open, rateLimit: .probe, answer: .of(HealthReport.self)
    ) { _ in .json(HealthReport(status: .ok, checks: nil)) }

    /// The probe of the server: it can do its work.
    /// - Parameters:
    ///   - notes: What is known beside the checks.
    ///   - checks: What is wrong with each part of the server; nil if nothing is.
    static func readiness(
        retryAfter: String? = nil, notes: @escaping @Sendable () -> [(String, String)] = { [] },
        _ checks: @escaping @Sendable () async -> [(String, String?)]
    ) -> Route {
        Route(
            .get, "/readyz", "Whether the server can do its work", access: .open, rateLimit: .probe,
            query: [.text("verbose", maximum: 8, "Present: adds what is known beside the checks.")],
            answer: .of(HealthReport.self)
        ) { call in
            let checks = await checks()
            let isReady = checks.allSatisfy { $0.1 == nil }
            var report = HealthReport(
                status: isReady ? .ok : .unavailable, checks: checks.map { JSONMember($0.0, .string($0.1 ?? "ok")) })
            if call.text("verbose") != nil { report.notes = notes().map { JSONMember($0.0, .string($0.1)) } }
            var reply = Reply.json(report, isReady ? .ok : .serviceUnavailable)
            if let retryAfter { reply.headers[.retryAfter] = retryAfter }
            return reply
        }
    }
}
