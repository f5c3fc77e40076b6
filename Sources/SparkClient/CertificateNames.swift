import Glibc
package import NIOSSL

/// The names that a certificate is for.
package enum CertificateNames {
    /// Whether clients accept a certificate for a host (RFC 6125): by its alternative names alone, where `*` is one label.
    /// - Parameter host: a DNS name or an IP address without brackets.
    package static func cover(_ host: String, in certificate: NIOSSLCertificate) -> Bool {
        let host = host.lowercased().hasSuffix(".") ? String(host.lowercased().dropLast()) : host.lowercased()
        let address = bytes(ofAddress: host)
        return certificate._subjectAlternativeNames().contains { name in
            let contents = Array(name.contents)
            if let address { return name.nameType == .ipAddress && contents == address }
            return name.nameType == .dnsName && matches(host, String(decoding: contents, as: UTF8.self).lowercased())
        }
    }

    /// The names, for messages; at most four of them.
    package static func shown(of certificate: NIOSSLCertificate) -> String {
        let names = certificate._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map {
            String(decoding: Array($0.contents), as: UTF8.self)
        }
        guard !names.isEmpty else { return "no name" }
        return names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and others" : "")
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return host == pattern }
        guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
        return host[dot...] == pattern.dropFirst()
    }

    /// The bytes of an IPv4 or IPv6 address; nil for a name.
    static func bytes(ofAddress text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}
