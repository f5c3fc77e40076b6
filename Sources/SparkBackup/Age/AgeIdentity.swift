import Crypto
import SparkFiles

/// A secret key of age, which opens what is encrypted to its recipient.
///
/// Descriptions and reflection show the recipient only.
public struct AgeIdentity: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    static let prefix = "AGE-SECRET-KEY-"
    /// The longest file of identities, in bytes.
    public static let longestFile = 65_536

    let key: Curve25519.KeyAgreement.PrivateKey

    private init(key: Curve25519.KeyAgreement.PrivateKey) { self.key = key }

    /// Makes a new identity.
    public static func generate() -> AgeIdentity { AgeIdentity(key: .init()) }

    /// Reads an identity, `AGE-SECRET-KEY-1…`. Blanks around it are ignored.
    /// - Throws: `AgeError.identity`, without the text. An identity of a plugin is refused.
    public init(_ text: String) throws(AgeError) {
        let (prefix, bytes): (String, [UInt8])
        do throws(Bech32.Fault) {
            (prefix, bytes) = try Bech32.decode(text.trimmed)
        } catch {
            throw .identity(error.words)
        }
        guard prefix == Self.prefix else { throw .identity("it is of another kind") }
        guard bytes.count == 32, let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes) else {
            throw .identity(Bech32.Fault.length.words)
        }
        self.key = key
    }

    /// Reads the identities of a file such as `age-keygen` writes: one a line, lines that begin with `#` and empty lines ignored.
    /// - Throws: `AgeError.identity` with the number of the wrong line, also if there is no identity at all.
    public static func identities(in text: String) throws(AgeError) -> [AgeIdentity] {
        guard !text.hasPrefix("age-encryption.org/"), !text.hasPrefix("-----BEGIN AGE") else {
            throw .identity("the file is itself encrypted; decrypt it with age first")
        }
        var identities: [AgeIdentity] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = String(line).trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            do throws(AgeError) {
                identities.append(try AgeIdentity(line))
            } catch {
                guard case .identity(let reason) = error else { throw error }
                // No identity has blanks or colons: another file was named by mistake.
                guard !line.contains(where: { $0 == " " || $0 == ":" || $0 == "=" }) else {
                    throw .identity(
                        "line \(index + 1) is of a file of another kind, such as settings; name the file that spark backup-key made"
                    )
                }
                throw .identity("line \(index + 1): \(reason)")
            }
        }
        guard !identities.isEmpty else { throw .identity("the file has none") }
        return identities
    }

    /// Reads a file of identities. Blocks on the disk.
    /// - Throws: `NamedFile.Refusal` or `AgeError.identity`.
    public static func identities(inFile path: String) throws -> [AgeIdentity] {
        let bytes = try NamedFile.contents(of: path, atMost: longestFile)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw AgeError.identity("the file is not text") }
        return try identities(in: text)
    }

    /// What is encrypted to this, the identity opens.
    public var recipient: AgeRecipient { AgeRecipient(key: key.publicKey) }

    /// The secret, `AGE-SECRET-KEY-1…`: for the file of the owner, for nothing else.
    public var secretText: String {
        Bech32.encode(Array(key.rawRepresentation), prefix: Self.prefix.lowercased()).uppercased()
    }

    /// The recipient.
    public var description: String { "identity of \(recipient)" }
    /// The recipient.
    public var debugDescription: String { description }
    /// Shows nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: ["recipient": recipient.description]) }
}
