import NIOPosix
import ServiceLifecycle

/// Looks at the certificate's files, every two seconds.
package struct CertificateWatch: Service {
    private static let interval = Duration.seconds(2)

    private let certificate: ServedCertificate

    /// - Parameter certificate: takes over what has changed.
    package init(_ certificate: ServedCertificate) { self.certificate = certificate }

    /// Looks until the server stops.
    package func run() async throws {
        let certificate = certificate
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil {
                try? await NIOThreadPool.singleton.runIfActive { certificate.look() }
            }
        }
    }
}
