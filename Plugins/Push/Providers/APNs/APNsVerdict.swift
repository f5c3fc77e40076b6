import SparkCore

/// Maps APNs' answers to outcomes (Apple: "Handling notification responses from APNs").
struct APNsVerdict {
    let outcome: PushOutcome

    init(_ answer: ProviderAnswer, now: Timestamp, topicIsProven: Bool) {
        guard answer.status != 200 else {
            self.outcome = .accepted
            return
        }
        let json = answer.json
        let word = json?["reason"]?.string ?? ""
        // Milliseconds since 1970. Apple documents seconds for other fields, and its servers send milliseconds here.
        let since = json?["timestamp"]?.integer.map { Timestamp(milliseconds: $0) }
        self.outcome = Self.outcome(
            word, status: answer.status, since: since, after: answer.retryAfter(now), topicIsProven: topicIsProven)
    }

    private static func outcome(
        _ word: String, status: Int, since: Timestamp?, after: Duration?, topicIsProven: Bool
    ) -> PushOutcome {
        switch word {
        case "Unregistered", "ExpiredToken": .gone(reason: word, since: since)
        case "BadDeviceToken": .gone(reason: word, since: nil)
        // If no push with this topic was ever accepted, a wrong setting is more likely than every device being wrong.
        case "DeviceTokenNotForTopic": topicIsProven ? .gone(reason: word, since: nil) : .refused(reason: word)
        case "BadTopic", "MissingTopic", "TopicDisallowed", "BadCertificate", "BadCertificateEnvironment", "ExpiredProviderToken",
            "Forbidden", "InvalidProviderToken", "MissingProviderToken", "UnrelatedKeyIdInToken", "BadEnvironmentKeyIdInToken":
            .misconfigured(reason: word)
        case "TooManyProviderTokenUpdates": .later(reason: word, after: after ?? .minutes(5))
        case "TooManyRequests", "IdleTimeout", "InternalServerError", "ServiceUnavailable", "Shutdown":
            .later(reason: word, after: after)
        case "BadCollapseId", "BadExpirationDate", "BadMessageId", "BadPriority", "DuplicateHeaders", "InvalidPushType",
            "MissingDeviceToken", "PayloadEmpty", "PayloadTooLarge", "BadPath", "MethodNotAllowed":
            .refused(reason: word)
        default: unknown(status, since: since, after: after)
        }
    }

    /// A reason that is not in the table: the status decides.
    private static func unknown(_ status: Int, since: Timestamp?, after: Duration?) -> PushOutcome {
        switch status {
        case 410: .gone(reason: "410", since: since)
        case 401, 403: .misconfigured(reason: "403 with an unknown reason")
        case 429: .later(reason: "429", after: after)
        case 400..<500: .refused(reason: "\(status)")
        default: .later(reason: "\(status)", after: after)
        }
    }
}
