import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Why there was no answer from a provider.
enum ProviderTrouble: Error, Hashable {
    case timeout
    /// No connection could be established.
    case unreachable
    /// The connection or the stream ended before the answer.
    case connectionLost
    /// The server's certificate is not trusted.
    case certificate
    /// The file of a setting cannot be used.
    case file(FileFault)
    /// The server is stopping.
    case ended

    var outcome: PushOutcome {
        switch self {
        case .timeout: .later(reason: "timeout", after: nil)
        case .unreachable: .later(reason: "unreachable", after: nil)
        case .connectionLost: .later(reason: "connection lost", after: nil)
        case .certificate: .misconfigured(reason: Self.certificateWords)
        case .file(let fault): .misconfigured(reason: fault.words)
        case .ended: .later(reason: "stopping", after: nil)
        }
    }

    static let certificateWords =
        "the provider's certificate is not trusted: a proxy in between needs push.trusted_roots_file; or the clock is wrong"

    /// Classifies an error of the HTTP client.
    init(_ error: any Error) {
        self =
            switch error {
            case let trouble as ProviderTrouble: trouble
            case let fault as FileFault: .file(fault)
            case is CancellationError: .timeout
            case let error as HTTPClientError: Self.trouble(of: error)
            case let error as NIOSSLError: Self.trouble(of: error)
            case is NIOSSLExtraError: .certificate
            case is NIOConnectionError: .unreachable
            case is ChannelError: .connectionLost
            default: .connectionLost
            }
    }

    private static func trouble(of error: HTTPClientError) -> ProviderTrouble {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout, .cancelled, .requestStreamCancelled: .timeout
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout: .unreachable
        case .alreadyShutdown: .ended
        default: .connectionLost
        }
    }

    /// A handshake also fails when the peer hangs up during it; that is not a certificate problem.
    private static func trouble(of error: NIOSSLError) -> ProviderTrouble {
        switch error {
        case .unableToValidateCertificate, .noCertificateToValidate: .certificate
        case .handshakeFailed(.sslError(let stack)):
            stack.description.contains("CERTIFICATE") ? .certificate : .unreachable
        case .handshakeFailed: .unreachable
        default: .connectionLost
        }
    }
}
