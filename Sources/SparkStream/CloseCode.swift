/// Why the server closes a stream connection (RFC 6455, section 7.4). After 4000…4499 the client may reconnect; after 4500…4999
/// it must not.
enum CloseCode: UInt16, CaseIterable {
    case normal = 1000
    case unacceptableData = 1003
    case policyViolation = 1008
    case unexpected = 1011
    case restart = 1012
    case tokenEnded = 4001
    case slowReader = 4003
    case flood = 4008
    case replaced = 4009
    case noHeartbeat = 4010
    case banned = 4500
    case unsupportedVersion = 4501

    var reason: String {
        switch self {
        case .normal: "bye"
        case .unacceptableData: "texts only"
        case .policyViolation: "policy"
        case .unexpected: "the server failed"
        case .restart: "the server restarts"
        case .tokenEnded: "the token ended"
        case .slowReader: "slow reader"
        case .flood: "too many frames"
        case .replaced: "replaced by another connection"
        case .noHeartbeat: "no heartbeat"
        case .banned: "the account is suspended"
        case .unsupportedVersion: "unsupported version"
        }
    }
}
