import Crypto
import Foundation

/// One recipient's part of a header: the wrapped key of the file.
struct AgeStanza: Hashable {
    let type: String
    let arguments: [String]
    let body: [UInt8]
}

/// The header of a file of age, version 1 (https://age-encryption.org/v1): for each recipient the wrapped key of the file, and a
/// code over everything.
struct AgeHeader {
    /// The longest header that is read, in bytes. 500 recipients need about as much.
    static let longest = 65_536
    private static let version = Array("age-encryption.org/v1".utf8)
    /// Bytes of a body on one line; a shorter line ends the body.
    private static let bytesPerLine = 48

    let stanzas: [AgeStanza]
    /// The code at the end, 32 bytes.
    private let code: [UInt8]
    /// What the code covers.
    private let covered: [UInt8]

    /// A header with its code.
    init(_ stanzas: [AgeStanza], fileKey: SymmetricKey) {
        var text = Self.version + [0x0A]
        for stanza in stanzas {
            text += Array("-> \(([stanza.type] + stanza.arguments).joined(separator: " "))\n".utf8)
            var start = 0
            repeat {
                let end = min(start + Self.bytesPerLine, stanza.body.count)
                text += Array("\(Base64.encode(stanza.body[start..<end]))\n".utf8)
                start += Self.bytesPerLine
                // A body that fills its last line ends with an empty one.
            } while start <= stanza.body.count
        }
        self.stanzas = stanzas
        self.covered = text + Array("---".utf8)
        self.code = Array(HMAC<SHA256>.authenticationCode(for: covered, using: Self.codeKey(fileKey)))
    }

    /// Reads the header at the beginning of some bytes.
    /// - Parameter length: receives how long it is.
    init(_ bytes: some Collection<UInt8>, length: inout Int) throws(AgeError) {
        var reader = LineReader(bytes)
        guard try reader.next() == Self.version else { throw .notEncrypted }
        var stanzas: [AgeStanza] = []
        var start = reader.position
        var line = try reader.next()
        while !line.starts(with: "---".utf8) {
            stanzas.append(try Self.stanza(line, &reader))
            start = reader.position
            line = try reader.next()
        }
        guard line.starts(with: "--- ".utf8), let code = Base64.decode(line.dropFirst(4)), code.count == 32 else {
            throw .header("its code is not readable")
        }
        guard !stanzas.isEmpty else { throw .header("it has no recipient") }
        self.code = code
        self.covered = Array(reader.bytes[..<(start + 3)])
        self.stanzas = stanzas
        length = reader.position
    }

    private static func stanza(_ line: [UInt8], _ reader: inout LineReader) throws(AgeError) -> AgeStanza {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual("->".utf8),
            words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } })
        else { throw .header("a recipient's line is not readable") }
        var body: [UInt8] = []
        while true {
            guard let part = Base64.decode(try reader.next()), part.count <= bytesPerLine else {
                throw .header("a recipient's key is not readable")
            }
            body += part
            guard part.count == bytesPerLine else { break }
        }
        let texts = words.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        return AgeStanza(type: texts[0], arguments: Array(texts.dropFirst()), body: body)
    }

    var bytes: [UInt8] { covered + Array(" \(Base64.encode(code))\n".utf8) }

    /// Fails if the header was altered, or made by somebody without the key.
    func check(_ fileKey: SymmetricKey) throws(AgeError) {
        guard HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: covered, using: Self.codeKey(fileKey)) else {
            throw .damaged("the header was altered")
        }
    }

    private static func codeKey(_ fileKey: SymmetricKey) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, info: Data("header".utf8), outputByteCount: 32)
    }

    /// Splits bytes at line feeds.
    private struct LineReader {
        let bytes: [UInt8]
        private(set) var position = 0

        init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes.prefix(AgeHeader.longest)) }

        mutating func next() throws(AgeError) -> [UInt8] {
            guard let end = bytes[position...].firstIndex(of: 0x0A) else {
                guard bytes.starts(with: AgeHeader.version) else { throw .notEncrypted }
                throw bytes.count < AgeHeader.longest
                    ? .damaged("the header is cut off") : .header("it is longer than \(AgeHeader.longest) bytes")
            }
            defer { position = end + 1 }
            return Array(bytes[position..<end])
        }
    }
}

/// Base64 without padding (RFC 4648), strict: of each value only one text is accepted.
enum Base64 {
    static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
        let given = String(decoding: text, as: UTF8.self)
        guard let data = Data(base64Encoded: given + padding), encode(data) == given else { return nil }
        return Array(data)
    }
}
