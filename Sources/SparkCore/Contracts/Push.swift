/// Port of Push, for operators.
public protocol PushOperating: Sendable {
    /// Sends a test push to each device of a user. It bypasses the delivery queue and the person's notification settings.
    /// - Parameter device: Only the device with this name; nil means all devices.
    func test(_ user: UserID, device: String?) async throws -> [PushTrial]
    /// For each provider, what keeps it from sending; nil if no fault is visible from this server.
    func providerFaults() async -> [(provider: String, fault: String?)]
    /// The delivery queue as JSON.
    /// - Parameter limit: The most lines of each list.
    func outbox(limit: Int) async throws -> [UInt8]
    /// Closes the connections to the providers.
    func shutDown() async
}

/// The result of a test push.
public struct PushTrial: JSONWritable, Sendable {
    /// The app's name for the device.
    public let device: String
    /// The push provider.
    public let provider: String
    /// True if the provider accepted the push.
    public let isAccepted: Bool
    /// The provider's reason, or what is missing; nil if the push was accepted.
    public let reason: String?

    /// Creates a result.
    public init(device: String, provider: String, isAccepted: Bool, reason: String?) {
        self.device = device
        self.provider = provider
        self.isAccepted = isAccepted
        self.reason = reason
    }

    /// An object with `device`, `provider`, `accepted` and `reason`.
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("device", device)
            writer.field("provider", provider)
            writer.field("accepted", isAccepted)
            writer.key("reason")
            if let reason { writer.value(reason) } else { writer.null() }
        }
    }
}
