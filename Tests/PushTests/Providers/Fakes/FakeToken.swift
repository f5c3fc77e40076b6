import Crypto
import CryptoExtras
import Foundation
import SparkCore
import SparkKit

/// A JSON web token parsed by hand (RFC 7515), so that the check shares no code with the signer.
struct FakeToken {
    let header: JSONValue
    let claims: JSONValue
    private let signed: [UInt8]
    private let signature: [UInt8]

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(String(parts[0])), let claims = Base64URL.decode(String(parts[1])),
            let signature = Base64URL.decode(String(parts[2])), let headerJSON = try? JSONParser.parse(header),
            let claimsJSON = try? JSONParser.parse(claims)
        else { return nil }
        self.header = headerJSON
        self.claims = claimsJSON
        self.signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    func isSigned(by key: P256.Signing.PublicKey) -> Bool {
        guard header["alg"]?.string == "ES256", let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: signed)
    }

    func isSigned(by key: _RSA.Signing.PublicKey) -> Bool {
        guard header["alg"]?.string == "RS256" else { return false }
        return key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: Data(signature)), for: signed, padding: .insecurePKCS1v1_5)
    }
}
