package import Logging
import NIOSSL
package import SparkCore
import SparkFiles
import SparkKit
import Synchronization

/// The certificate that new connections are served with. It is read again when its files change. Connections that are open keep
/// theirs. A new certificate or key that cannot be used is refused, and the old pair stays.
package final class ServedCertificate: Sendable {
    /// What tells whether the files have changed. Each is nil for a file that is not there.
    private struct Files: Equatable {
        let certificate: FileStatus?
        let key: FileStatus?
    }

    private struct State {
        var pair: CertificatePair
        /// The files that the pair came from.
        var served: Files
        /// The files at the last look.
        var last: Files
        /// Why the files of the last look are not used, once this was logged.
        var refusal: CertificatePair.Fault?
    }

    private let settings: TLSSettings
    private let clock: any WallClock
    private let logger: Logger
    private let state: Mutex<State>
    let metrics = TLSMetrics()

    /// Reads the files. Blocks.
    /// - Throws: `CertificatePair.Fault`, whose description names the setting and what to do.
    package init(_ settings: TLSSettings, clock: any WallClock, logger: Logger) throws {
        let files = Self.files(settings)
        let pair = try CertificatePair(certificateFile: settings.certificateFile, keyFile: settings.keyFile)
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.state = Mutex(State(pair: pair, served: files, last: files))
        begin(with: pair)
    }

    /// What a new connection is made with.
    var context: NIOSSLContext { state.withLock { $0.pair.context } }

    /// When the certificate expires, in seconds since 1970.
    var notAfter: Int64 { state.withLock { $0.pair.notAfter } }

    /// Takes over files that have changed, once they have been the same for two looks: a certificate and its key are replaced one
    /// after the other. Blocks.
    func look() {
        let files = Self.files(settings)
        let (isToRead, isReverted) = state.withLock { state -> (Bool, Bool) in
            defer { state.last = files }
            guard files != state.served else {
                defer { state.refusal = nil }
                return (false, state.refusal != nil)
            }
            return (files == state.last, false)
        }
        if isReverted { metrics.serve(until: notAfter) }
        guard isToRead else { return }
        do throws(CertificatePair.Fault) {
            let pair = try CertificatePair(certificateFile: settings.certificateFile, keyFile: settings.keyFile)
            // Replaced again while they were read: the next look sees it.
            guard Self.files(settings) == files else { return }
            state.withLock { $0 = State(pair: pair, served: files, last: files) }
            metrics.noteReload()
            begin(with: pair)
            logger.notice("a new certificate is in use", metadata: ["expires": "\(HTTPDate.text(second: max(0, pair.notAfter)))"])
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ fault: CertificatePair.Fault) {
        let isKnown = state.withLock { state in
            defer { state.refusal = fault }
            return state.refusal == fault
        }
        guard !isKnown else { return }
        metrics.noteRefusal()
        logger.error("the new certificate is refused, the old one stays in use", metadata: ["reason": .string("\(fault)")])
    }

    private func begin(with pair: CertificatePair) {
        metrics.serve(until: pair.notAfter)
        let now = clock.now().milliseconds / 1_000
        if pair.notAfter <= now {
            logger.warning(
                "the certificate has expired: clients refuse it",
                metadata: ["expired": "\(HTTPDate.text(second: max(0, pair.notAfter)))"])
        } else if pair.notBefore > now {
            logger.warning(
                "the certificate is not valid yet, or the clock is wrong: clients refuse it",
                metadata: ["valid_from": "\(HTTPDate.text(second: max(0, pair.notBefore)))"])
        }
    }

    private static func files(_ settings: TLSSettings) -> Files {
        Files(certificate: FileStatus(path: settings.certificateFile), key: FileStatus(path: settings.keyFile))
    }
}
