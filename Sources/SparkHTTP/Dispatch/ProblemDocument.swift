import HTTPTypes
import NIOHTTP1
import SparkCore
import SparkKit
import SparkStorage

/// An error as the client receives it: `application/problem+json` (RFC 9457) with a stable `code`, `temporary` and the request
/// id.
struct ProblemDocument: JSONObject {
    let error: any ClientError
    let requestID: String

    var reply: Reply {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter = error.retryAfter { headers[.retryAfter] = String(max(1, retryAfter.roundedUpSeconds)) }
        if error.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        if let error = error as? any UpgradeRefusal { headers.append(contentsOf: error.offer) }
        return Reply(HTTPResponse.Status(code: error.status), headers: headers, json: JSONWriter.bytes(of: self))
    }

    static let fields = Fields<ProblemDocument>("Problem", "An error (RFC 9457).") {
        Field("type", { _ in "about:blank" }, .string.example("about:blank"))
        Field(
            "title", { HTTPResponseStatus(statusCode: $0.error.status).reasonPhrase },
            .string.example(.string(HTTPResponseStatus.unprocessableEntity.reasonPhrase)))
        Field("status", \.error.status, .integer(400...599).example(422))
        Field("code", \.error.code, .string.example("request.invalid"), "Stable and machine-readable.")
        Field("detail", \.error.detail, .string.example("Some values were refused; see errors."))
        Field("temporary", \.error.isTemporary, "True if the same request may succeed later.")
        Field("request_id", \.requestID, .string.example("01k9x7p2m4"), "Also in the server's log.")
        Field(optional: "errors", \.violations, "The refused parts of the input.")
    }

    private var violations: [Violation]? { error.violations.isEmpty ? nil : Array(error.violations.prefix(32)) }
}

/// What the client sees of an internal error: only the request id that is also in the log.
package struct InternalFault: ClientError {
    package let code = "server.internal"
    package let status = 500
    package let detail = "The server failed; the log has the details under the request id."
    package let isTemporary = true

    package init() {}
}

/// What the log contains of an unexpected error: its type, and for the database its code and statement; never values.
public enum ErrorSummary {
    /// The summary of an error, without values.
    public static func of(_ error: any Error) -> String {
        guard let error = error as? SQLError else { return "\(type(of: error))" }
        return "SQLError \(error.code): \(error.sql ?? "no statement")"
    }
}
