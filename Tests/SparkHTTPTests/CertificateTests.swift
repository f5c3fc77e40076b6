import Foundation
import Logging
import NIOSSL
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkHTTP

@Suite("The certificate")
struct CertificateTests {
    private func settings(_ folder: String) -> TLSSettings { TLSSettings(values(folder)) }

    private func values(_ folder: String) -> SettingValues {
        SettingValues(
            defaultsOf: TLSSettings.settings,
            ["certificate_file": .text("\(folder)/certificate.pem"), "key_file": .text("\(folder)/key.pem")])
    }

    private func certificate(_ folder: String) throws -> ServedCertificate {
        try ServedCertificate(
            settings(folder), clock: ManualClock(Timestamp(milliseconds: 1_772_366_400_000)), logger: Logger(label: "test"))
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// The name of the setting and a word of the reason, for what a file may be.
    private func fault(_ folder: String) -> SettingFault? { TLSSettings.faultsOfFiles(of: values(folder)).first }

    @Test("each fault of the files is named with its setting and what to do", arguments: [TestAuthority.KeyKind.ecdsa, .rsa])
    func faults(kind: TestAuthority.KeyKind) async throws {
        let authority = try TestAuthority()
        let (pair, other) = (try authority.pair(kind), try authority.pair(kind))
        try await withTemporaryFolder { folder in
            #expect(fault(folder)?.keys == ["certificate_file"] && fault(folder)?.reason.contains("No such file") == true)
            try pair.write(to: folder)
            #expect(fault(folder) == nil)
            try write(other.key, "\(folder)/key.pem")
            #expect(fault(folder)?.keys == ["key_file"] && fault(folder)?.reason.contains("does not belong") == true)
            try write(pair.key.replacing("PRIVATE KEY", with: "ENCRYPTED PRIVATE KEY"), "\(folder)/key.pem")
            #expect(fault(folder)?.keys == ["key_file"] && fault(folder)?.reason.contains("passphrase") == true)
            try write("nothing", "\(folder)/key.pem")
            #expect(fault(folder)?.keys == ["key_file"] && fault(folder)?.reason.contains("no private key") == true)
            try FileManager.default.removeItem(atPath: "\(folder)/key.pem")
            #expect(fault(folder)?.keys == ["key_file"] && fault(folder)?.reason.contains("No such file") == true)
            try pair.write(to: folder)
            try write(pair.key, "\(folder)/certificate.pem")
            #expect(fault(folder)?.keys == ["certificate_file"] && fault(folder)?.reason.contains("no certificate") == true)
            // The authority first: a chain begins with the server's own certificate.
            try write(authority.root + "\n" + pair.certificate, "\(folder)/certificate.pem")
            #expect(fault(folder)?.keys == ["key_file"] && fault(folder)?.reason.contains("chain begin") == true)
            try write(pair.certificate + "\n" + authority.root, "\(folder)/certificate.pem")
            #expect(fault(folder) == nil)
        }
    }

    @Test("one file alone, and a redirect to nowhere, are refused")
    func settings() {
        func faults(_ changes: [String: Setting.Value]) -> [[String]] {
            TLSSettings.faults(of: SettingValues(defaultsOf: TLSSettings.settings, changes)).map(\.keys)
        }
        #expect(faults([:]) == [])
        #expect(faults(["certificate_file": .text("a")]) == [["certificate_file", "key_file"]])
        #expect(faults(["key_file": .text("a")]) == [["certificate_file", "key_file"]])
        #expect(faults(["certificate_file": .text("a"), "key_file": .text("b")]) == [])
        #expect(faults(["redirect_listen": .text("0.0.0.0:80")]) == [["redirect_listen", "certificate_file"]])
        #expect(
            faults(["certificate_file": .text("a"), "key_file": .text("b"), "acme_webroot": .text("/srv")])
                == [["acme_webroot", "redirect_listen"]])
    }

    @Test("a new pair comes into use once both files have stayed the same for two looks")
    func exchange() async throws {
        let authority = try TestAuthority()
        let (first, second) = (try authority.pair(days: 10), try authority.pair(days: 20))
        try await withTemporaryFolder { folder in
            try first.write(to: folder)
            let served = try certificate(folder)
            let (before, context) = (served.notAfter, served.context)
            served.look()
            served.look()
            #expect(served.context === context)
            // Halfway through the exchange, the key is not the certificate's.
            try write(second.certificate, "\(folder)/certificate.pem")
            served.look()
            #expect(served.context === context)
            try write(second.key, "\(folder)/key.pem")
            served.look()
            #expect(served.context === context)
            served.look()
            #expect(served.notAfter - before == 10 * 86_400)
        }
    }

    @Test("a pair that cannot be used is refused and the old one stays, until the files are repaired")
    func refused() async throws {
        let authority = try TestAuthority()
        let (first, second) = (try authority.pair(days: 10), try authority.pair(days: 20))
        try await withTemporaryFolder { folder in
            try first.write(to: folder)
            let served = try certificate(folder)
            let context = served.context
            for (certificate, key) in [(second.certificate, first.key), ("", second.key), (second.certificate, "")] {
                try write(certificate, "\(folder)/certificate.pem")
                try write(key, "\(folder)/key.pem")
                for _ in 0..<3 { served.look() }
                #expect(served.context === context)
            }
            try FileManager.default.removeItem(atPath: "\(folder)/key.pem")
            for _ in 0..<3 { served.look() }
            #expect(served.context === context)
            try second.write(to: folder)
            for _ in 0..<2 { served.look() }
            #expect(served.context !== context)
        }
    }

    @Test("a certificate that has expired is served all the same")
    func expired() async throws {
        try await withTemporaryFolder { folder in
            try TestAuthority().pair(days: -1).write(to: folder)
            #expect(fault(folder) == nil)
            _ = try certificate(folder)
        }
    }
}
