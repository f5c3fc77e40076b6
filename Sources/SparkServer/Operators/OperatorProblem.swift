package import SparkCore

/// An error as a verb receives it.
package struct OperatorProblem: Sendable {
    /// The stable code, `module.reason`.
    package let code: String
    /// The HTTP status of the error.
    package let status: Int
    /// The text for the operator.
    package let detail: String
    /// Whether the same request may succeed later.
    package let isTemporary: Bool
    /// The invalid members of the request; empty for other errors.
    package let violations: [Violation]

    /// The problem of an error.
    package init(_ error: any ClientError) {
        self.code = error.code
        self.status = error.status
        self.detail = error.detail
        self.isTemporary = error.isTemporary
        self.violations = error.violations
    }

    /// Nil when the JSON is not a problem of this form.
    package init?(_ json: JSONValue) {
        guard let code = json["code"]?.string, let status = json["status"]?.integer, let detail = json["detail"]?.string else {
            return nil
        }
        self.code = code
        self.status = Int(clamping: status)
        self.detail = detail
        self.isTemporary = json["temporary"]?.bool ?? false
        self.violations = (json["errors"]?.array ?? []).map { error in
            Violation(
                field: error["field"]?.string ?? "", reason: error["reason"]?.string ?? "",
                detail: error["detail"]?.string ?? "")
        }
    }
}

extension OperatorProblem: JSONObject {
    /// The members in their order.
    package static let fields = Fields<OperatorProblem>("OperatorProblem", "An error for an operator.") {
        Field("code", \.code, .string.example("request.invalid"), "Stable and machine-readable.")
        Field("status", \.status, .integer(400...599))
        Field("detail", \.detail, .string)
        Field("temporary", \.isTemporary, "True if the same request may succeed later.")
        Field(optional: "errors", \.shown, "The refused parts of the input.")
    }

    private var shown: [Violation]? { violations.isEmpty ? nil : Array(violations.prefix(32)) }
}
