public import SparkCore

/// Errors that the HTTP edge itself answers. Modules may throw them, too.
public enum EdgeError: ClientError {
    /// 401: there is no valid access token.
    case unauthenticated
    /// 404: the path or the record does not exist, or the caller may not see it.
    case notFound
    /// 405: the path does not support the method.
    case methodNotAllowed
    /// 413: the body exceeds `http.max_body_bytes`.
    case bodyTooLarge
    /// 431: the request line or the header fields are too long.
    case headersTooLarge
    /// 415: the body is not `application/json`.
    case unsupportedMediaType
    /// 408: the request did not arrive in time.
    case timedOut
    /// 429: too many requests. The value becomes `Retry-After`.
    case rateLimited(Duration)
    /// 412: the resource changed since the client read it.
    case preconditionFailed
    /// 400: the `Idempotency-Key` is not 1 to 128 visible ASCII characters.
    case idempotencyKeyInvalid
    /// 400: the route cannot repeat its answer, so it refuses a key.
    case idempotencyKeyUnsupported
    /// 409: the first request with this key is still running.
    case idempotencyInProgress
    /// 422: the key belongs to a different request.
    case idempotencyMismatch
    /// 409: the first request took effect, but its answer was lost.
    case idempotencyAnswerLost
    /// 409: the session that the first request opened has ended since.
    case idempotencyAnswerEnded
    /// 503: the server is overloaded.
    case overloaded
    /// 503: the server listens but is not ready yet.
    case starting
    /// 426: the path does not support the upgrade.
    case unsupportedUpgrade

    /// `auth.`, `request.` or `idempotency.` and the reason.
    public var code: String {
        switch self {
        case .unauthenticated: "auth.unauthenticated"
        case .notFound: "request.not_found"
        case .methodNotAllowed: "request.method_not_allowed"
        case .bodyTooLarge: "request.body_too_large"
        case .headersTooLarge: "request.headers_too_large"
        case .unsupportedMediaType: "request.unsupported_media_type"
        case .timedOut: "request.timed_out"
        case .rateLimited: "request.rate_limited"
        case .preconditionFailed: "request.precondition_failed"
        case .idempotencyKeyInvalid: "idempotency.key_invalid"
        case .idempotencyKeyUnsupported: "idempotency.key_unsupported"
        case .idempotencyInProgress: "idempotency.in_progress"
        case .idempotencyMismatch: "idempotency.mismatch"
        case .idempotencyAnswerLost: "idempotency.answer_lost"
        case .idempotencyAnswerEnded: "idempotency.answer_ended"
        case .overloaded: "request.overloaded"
        case .starting: "request.starting"
        case .unsupportedUpgrade: "request.unsupported_upgrade"
        }
    }

    /// The status that the documentation of the case names.
    public var status: Int {
        switch self {
        case .unauthenticated: 401
        case .notFound: 404
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .headersTooLarge: 431
        case .unsupportedMediaType: 415
        case .timedOut: 408
        case .rateLimited: 429
        case .preconditionFailed: 412
        case .idempotencyKeyInvalid: 400
        case .idempotencyKeyUnsupported: 400
        case .idempotencyInProgress: 409
        case .idempotencyMismatch: 422
        case .idempotencyAnswerLost, .idempotencyAnswerEnded: 409
        case .overloaded, .starting: 503
        case .unsupportedUpgrade: 426
        }
    }

    /// One sentence for people.
    public var detail: String {
        switch self {
        case .unauthenticated: "A valid access token is needed."
        case .notFound: "This does not exist, or you may not see it."
        case .methodNotAllowed: "This path does not support that method."
        case .headersTooLarge: "The request line or the header fields are longer than the server accepts."
        case .bodyTooLarge: "The body is longer than the server accepts."
        case .unsupportedMediaType: "The body must be application/json, without a Content-Encoding."
        case .timedOut: "The request did not arrive in time."
        case .rateLimited: "Too many requests; wait as long as Retry-After says."
        case .preconditionFailed: "The resource has changed since you read it."
        case .idempotencyKeyInvalid: "An Idempotency-Key has 1 to 128 visible ASCII characters."
        case .idempotencyKeyUnsupported: "This path cannot give the same answer again; leave the Idempotency-Key out."
        case .idempotencyInProgress: "The first request with this key has not been answered yet."
        case .idempotencyMismatch: "This key was used for another request."
        case .idempotencyAnswerLost: "The first request with this key took effect, but its answer was lost; read the resource."
        case .idempotencyAnswerEnded:
            "The first request with this key took effect, but the tokens in its answer no longer work; sign in under a new key."
        case .overloaded: "The server is overloaded."
        case .starting: "The server is starting; try again soon."
        case .unsupportedUpgrade: "This path does not change protocols."
        }
    }

    /// True for 408, 429, 503 and a first request that is still running.
    public var isTemporary: Bool {
        switch self {
        case .timedOut, .rateLimited, .idempotencyInProgress, .overloaded, .starting: true
        default: false
        }
    }

    /// The wait of `rateLimited`; one or two seconds for other temporary errors; nil after a timeout and for permanent errors.
    public var retryAfter: Duration? {
        switch self {
        case .rateLimited(let duration): duration
        case .idempotencyInProgress, .overloaded: .seconds(1)
        case .starting: .seconds(2)
        default: nil
        }
    }
}
