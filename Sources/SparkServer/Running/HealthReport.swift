import SparkCore

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

    static let fields = Fields<HealthReport>("Health", "The answer of a health probe.") {
        Field("status", \.status)
        Field(optional: "checks", \.checks, checks, "What was checked.")
    }

    /// The names follow from the modules that run, so the object is open.
    private static let checks = FieldType<[JSONMember]>(
        Schema(
            ["type": "object", "additionalProperties": ["type": "string"]], example: ["database": "ok", "disk": "ok"]
        ).named("HealthChecks", "What is wrong with each part of the server; ok if nothing is.")
    ) { JSONValue.object($0).write(to: &$1) }
}
