/// An element of an XML document, as S3 answers: elements and texts. Strict and small: no document type, no entities of its own,
/// attributes are skipped.
struct S3Document {
    let name: String
    /// The text between its tags, without that of its children.
    private(set) var text = ""
    private(set) var children: [S3Document] = []

    /// The text of the first child of a name.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    /// The children of a name.
    func all(_ name: String) -> [S3Document] { children.filter { $0.name == name } }

    private init(name: String) { self.name = name }

    private static let deepest = 16

    /// Reads a document; nil if it is not well-formed, or nested deeper than S3's are.
    init?(_ bytes: [UInt8]) {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = Reader(bytes: bytes)
        reader.skip([0xEF, 0xBB, 0xBF])
        var open: [S3Document] = []
        var root: S3Document?
        while !reader.isAtEnd {
            if reader.skip("<?".utf8) {
                guard reader.take(until: "?>".utf8) != nil else { return nil }
            } else if reader.skip("<!--".utf8) {
                guard reader.take(until: "-->".utf8) != nil else { return nil }
            } else if reader.skip("</".utf8) {
                guard let tag = reader.take(until: ">".utf8), let element = open.popLast(), Self.name(tag) == element.name else {
                    return nil
                }
                if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
            } else if reader.skip("<".utf8) {
                guard root == nil, open.count < Self.deepest, let tag = reader.tag(), let name = Self.name(tag.bytes) else {
                    return nil
                }
                let element = S3Document(name: name)
                if !tag.isClosed {
                    open.append(element)
                } else if open.isEmpty {
                    root = element
                } else {
                    open[open.count - 1].children.append(element)
                }
            } else {
                guard let text = Self.text(reader.takeText()) else { return nil }
                if !open.isEmpty {
                    open[open.count - 1].text += text
                } else if !text.allSatisfy(\.isWhitespace) {
                    return nil
                }
            }
        }
        guard let root, open.isEmpty else { return nil }
        self = root
    }

    /// The name at the beginning of a tag.
    private static func name(_ tag: ArraySlice<UInt8>) -> String? {
        let name = tag.prefix { !Reader.isBlank($0) }
        let isName = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return name.isEmpty || !isName ? nil : String(decoding: name, as: UTF8.self)
    }

    /// A text with its references replaced.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var result = ""
        var rest = bytes
        while let start = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(decoding: rest[..<start], as: UTF8.self)
            guard let end = rest[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: rest[(start + 1)..<end], as: UTF8.self))
            else { return nil }
            result.unicodeScalars.append(character)
            rest = rest[(end + 1)...]
        }
        return result + String(decoding: rest, as: UTF8.self)
    }

    private static func character(_ reference: String) -> Unicode.Scalar? {
        switch reference {
        case "lt": "<"
        case "gt": ">"
        case "amp": "&"
        case "quot": "\""
        case "apos": "'"
        default:
            if reference.hasPrefix("#x") {
                UInt32(reference.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
            } else if reference.hasPrefix("#") {
                UInt32(reference.dropFirst()).flatMap(Unicode.Scalar.init)
            } else {
                nil
            }
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position >= bytes.count }

        static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

        /// Skips a word if it is next.
        @discardableResult
        mutating func skip(_ word: some Collection<UInt8>) -> Bool {
            guard bytes[position...].starts(with: word) else { return false }
            position += word.count
            return true
        }

        /// What comes before a word, which is skipped, too.
        mutating func take(until word: some Collection<UInt8>) -> ArraySlice<UInt8>? {
            let start = position
            while position < bytes.count {
                let end = position
                if skip(word) { return bytes[start..<end] }
                position += 1
            }
            return nil
        }

        mutating func takeText() -> ArraySlice<UInt8> {
            let start = position
            position = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
            return bytes[start..<position]
        }

        /// The inside of an opening tag. A `>` inside of an attribute's value does not end it.
        mutating func tag() -> (bytes: ArraySlice<UInt8>, isClosed: Bool)? {
            let start = position
            var quote: UInt8?
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                switch byte {
                case quote: quote = nil
                case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = quote ?? byte
                case UInt8(ascii: ">") where quote == nil:
                    let inside = bytes[start..<(position - 1)]
                    return inside.last == UInt8(ascii: "/") ? (inside.dropLast(), true) : (inside, false)
                case UInt8(ascii: "<"): return nil
                default: break
                }
            }
            return nil
        }
    }
}
