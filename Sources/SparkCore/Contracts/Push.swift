/// Port of Push, for operators.
public protocol PushOperating: Sendable {
    /// Sends a test push to each device of a user at once, past the outbox and past what the person wants to hear.
    /// - Parameter device: only the one that the app calls so.
    func test(_ user: UserID, device: String?) async throws -> [PushTrial]
    /// What keeps each provider from sending, as far as can be seen from here.
    func providerFaults() async -> [(provider: String, fault: String?)]
    /// The outbox as JSON.
    /// - Parameter limit: lines at most of each list.
    func outbox(limit: Int) async throws -> [UInt8]
    /// Ends the connections to the providers.
    func shutDown() async
}

/// How a test push went.
public struct PushTrial: JSONWritable, Sendable {
    /// What the app calls the device.
    public let device: String
    public let provider: String
    public let isAccepted: Bool
    /// The provider's word, or what is missing; nil when accepted.
    public let reason: String?

    public init(device: String, provider: String, isAccepted: Bool, reason: String?) {
        self.device = device
        self.provider = provider
        self.isAccepted = isAccepted
        self.reason = reason
    }

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
