import SparkCore

/// Maps FCM's answers to outcomes (Google: "ErrorCode" of the REST reference, "Best practices when sending FCM messages at
/// scale").
struct FCMVerdict {
    /// Google's minimum wait before a retry.
    private static let shortestPause = Duration.seconds(10)
    /// The pause without a `Retry-After` header: quotas are per minute.
    private static let quotaPause = Duration.seconds(60)

    let outcome: PushOutcome
    /// FCM no longer accepts the access token; one retry with a new token makes sense.
    let isUnauthenticated: Bool

    init(_ answer: ProviderAnswer, now: Timestamp, senderIsProven: Bool) {
        let error = answer.json?["error"]
        let code = Self.detail("google.firebase.fcm.v1.FcmError", of: error)?["errorCode"]?.string
        self.isUnauthenticated = answer.status == 401 && code != "THIRD_PARTY_AUTH_ERROR"
        self.outcome =
            answer.status == 200
            ? .accepted
            : Self.outcome(
                code ?? "", status: answer.status, error: error, after: answer.retryAfter(now), senderIsProven: senderIsProven)
    }

    private static func outcome(
        _ code: String, status: Int, error: JSONValue?, after: Duration?, senderIsProven: Bool
    ) -> PushOutcome {
        switch code {
        case "UNREGISTERED": .gone(reason: code, since: nil)
        // Before the first accepted push, wrong credentials are more likely than every device being of another project.
        case "SENDER_ID_MISMATCH": senderIsProven ? .gone(reason: code, since: nil) : .refused(reason: code)
        case "INVALID_ARGUMENT": namesToken(error) ? .gone(reason: code, since: nil) : .refused(reason: code)
        case "QUOTA_EXCEEDED": .later(reason: code, after: after ?? quotaPause)
        case "UNAVAILABLE": .later(reason: code, after: after ?? shortestPause)
        case "INTERNAL", "UNSPECIFIED_ERROR": .later(reason: code, after: max(after ?? shortestPause, shortestPause))
        case "THIRD_PARTY_AUTH_ERROR":
            .misconfigured(reason: "THIRD_PARTY_AUTH_ERROR: the Firebase project's own key for APNs or Web Push is wrong")
        default: unknown(status, after: after)
        }
    }

    private static func unknown(_ status: Int, after: Duration?) -> PushOutcome {
        switch status {
        case 401: .misconfigured(reason: "UNAUTHENTICATED: Google refuses the tokens of push.fcm_credentials_file")
        case 403: .misconfigured(reason: "PERMISSION_DENIED: the service account may not send, or the API is switched off")
        case 404: .misconfigured(reason: "NOT_FOUND: there is no such project")
        case 429: .later(reason: "429", after: after ?? quotaPause)
        case 400..<500: .refused(reason: "\(status)")
        default: .later(reason: "\(status)", after: max(after ?? shortestPause, shortestPause))
        }
    }

    /// Whether the token is malformed and not the message.
    private static func namesToken(_ error: JSONValue?) -> Bool {
        let violations = detail("google.rpc.BadRequest", of: error)?["fieldViolations"]?.array ?? []
        return violations.contains { $0["field"]?.string == "message.token" }
    }

    private static func detail(_ type: String, of error: JSONValue?) -> JSONValue? {
        error?["details"]?.array?.first { $0["@type"]?.string == "type.googleapis.com/\(type)" }
    }
}
