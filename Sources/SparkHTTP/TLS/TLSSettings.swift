public import SparkKit

/// The section `tls`: the certificate with which the public listener speaks HTTPS.
public struct TLSSettings: ModuleConfiguration {
    /// The PEM file with the server's certificate and its chain; empty for plain HTTP.
    public let certificateFile: String
    /// The PEM file with the certificate's key.
    public let keyFile: String
    /// Where plain HTTP is answered with a redirect; empty for nowhere.
    public let redirectListen: String
    /// The folder whose files `.well-known/acme-challenge` the redirecting port serves; empty for none.
    public let acmeWebroot: String
    /// `max-age` of Strict-Transport-Security; 0 for no such field.
    public let strictTransportSeconds: Int
    /// How long a handshake may take.
    public let handshakeTimeout: Duration
    /// Handshakes per client network and minute; 0 for no limit.
    public let handshakesPerMinute: Int

    /// The longest certificate or key file, in bytes.
    static let longestFile = 65_536

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .file(
            "certificate_file", atMost: longestFile,
            "A PEM file with the server's certificate and its chain: http.listen then speaks HTTPS. It is read again when it changes."
        ),
        .file("key_file", atMost: longestFile, "A PEM file with the certificate's key, without a passphrase."),
        .text(
            "redirect_listen", default: "",
            "Address and port, such as 0.0.0.0:80, at which plain HTTP is redirected to HTTPS; empty: none.",
            fault: { $0.isEmpty || ListenAddress($0) != nil ? nil : "\(ListenAddress.expectation), or nothing for no redirect" }),
        .text(
            "acme_webroot", default: "",
            "The folder whose .well-known/acme-challenge the redirecting port serves, for certbot --webroot; empty: none."),
        .integer(
            "hsts_seconds", 0...63_072_000, default: 31_536_000,
            "How long browsers use HTTPS only (Strict-Transport-Security); sent over HTTPS alone. 0: the field is not sent."),
        .integer("handshake_timeout_seconds", 1...60, default: 10, "A TLS handshake must be complete within this time."),
        .integer(
            "handshakes_per_minute", 0...10_000_000, default: 6_000,
            "TLS handshakes per client network; further connections are closed at once. 0 lifts the limit."),
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.certificateFile = values.text("certificate_file")
        self.keyFile = values.text("key_file")
        self.redirectListen = values.text("redirect_listen")
        self.acmeWebroot = values.text("acme_webroot")
        self.strictTransportSeconds = values.integer("hsts_seconds")
        self.handshakeTimeout = values.seconds("handshake_timeout_seconds")
        self.handshakesPerMinute = values.integer("handshakes_per_minute")
    }

    /// Whether the public listener speaks HTTPS.
    public var isOn: Bool { !certificateFile.isEmpty && !keyFile.isEmpty }

    /// The host and port of `redirect_listen`; nil for no redirect.
    public var redirectAddress: ListenAddress? { ListenAddress(redirectListen) }

    /// A certificate without a key, a key without a certificate, and what has no effect without them.
    public static func faults(of values: SettingValues) -> [SettingFault] {
        let settings = TLSSettings(values)
        var faults: [SettingFault] = []
        if settings.certificateFile.isEmpty != settings.keyFile.isEmpty {
            faults.append(
                SettingFault(
                    "certificate_file", "key_file",
                    reason: settings.keyFile.isEmpty
                        ? "the certificate has no key; set tls.key_file as well"
                        : "the key has no certificate; set tls.certificate_file as well"))
        } else if !settings.isOn, !settings.redirectListen.isEmpty {
            faults.append(
                SettingFault(
                    "redirect_listen", "certificate_file",
                    reason: "there is no HTTPS to redirect to; set tls.certificate_file and tls.key_file"))
        }
        if settings.redirectListen.isEmpty, !settings.acmeWebroot.isEmpty {
            faults.append(
                SettingFault(
                    "acme_webroot", "redirect_listen",
                    reason: "the folder is served by the redirecting port alone; set tls.redirect_listen, such as 0.0.0.0:80"))
        }
        return faults
    }

    /// A certificate or a key that cannot be used: without them there is no HTTPS, and plain HTTP is no substitute.
    public static func faultsOfFiles(of values: SettingValues) -> [SettingFault] {
        let settings = TLSSettings(values)
        guard settings.isOn else { return [] }
        do throws(CertificatePair.Fault) {
            _ = try CertificatePair(certificateFile: settings.certificateFile, keyFile: settings.keyFile)
            return []
        } catch {
            return [SettingFault(error.key, reason: error.reason)]
        }
    }
}
