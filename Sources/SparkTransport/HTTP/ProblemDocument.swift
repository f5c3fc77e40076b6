import HTTPTypes
import NIOHTTP1
import SparkCore
import SparkKit
import SparkStorage

/// An error as the client receives it: `application/problem+json` (RFC 9457) with a stable `code`, `temporary` and the request
/// id.
struct ProblemDocument {
    let error: any ClientError
    let requestID: String

    var reply: Reply {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter = error.retryAfter { headers[.retryAfter] = String(max(1, retryAfter.roundedUpSeconds)) }
        if error.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        if error is HandshakeError, error.status == 426 {
            headers[.upgrade] = "websocket"
            headers[.secWebSocketVersion] = "13"
        }
        return Reply(HTTPResponse.Status(code: error.status), headers: headers, json: JSONWriter.bytes(of: self))
    }

    static let reference = SchemaReference(
        "Problem",
        .object([
            .required("type", .string()),
            .required("title", .string()),
            .required("status", .integer(400...599)),
            .required("code", .string()),
            .required("detail", .string()),
            .required("temporary", .boolean),
            .required("request_id", .string()),
            .optional(
                "errors",
                .list(
                    .object([
                        .required("field", .string()), .required("reason", .string()), .required("detail", .string()),
                    ]))),
        ]))
}

extension ProblemDocument: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "about:blank")
            writer.field("title", HTTPResponseStatus(statusCode: error.status).reasonPhrase)
            writer.field("status", error.status)
            writer.field("code", error.code)
            writer.field("detail", error.detail)
            writer.field("temporary", error.isTemporary)
            writer.field("request_id", requestID)
            guard !error.violations.isEmpty else { return }
            writer.key("errors")
            writer.array { writer in
                for violation in error.violations.prefix(32) {
                    writer.object { writer in
                        writer.field("field", violation.field)
                        writer.field("reason", violation.reason)
                        writer.field("detail", violation.detail)
                    }
                }
            }
        }
    }
}

/// What the client sees of an internal error: only the request id that is also in the log.
struct InternalFault: ClientError {
    let code = "server.internal"
    let status = 500
    let detail = "The server failed; the log has the details under the request id."
    let isTemporary = true
}

/// What the log contains of an unexpected error: its type, and for the database its code and statement; never values.
public enum ErrorSummary {
    /// The summary of an error, without values.
    public static func of(_ error: any Error) -> String {
        guard let error = error as? SQLError else { return "\(type(of: error))" }
        return "SQLError \(error.code): \(error.sql ?? "no statement")"
    }
}
