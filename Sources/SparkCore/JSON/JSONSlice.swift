/// A value within JSON text, with the bytes that the text has for it: for a part of a document that is passed on as it is.
///
/// The text must be one that `JSONParser` accepts. Any other text has unspecified slices, but never traps.
package struct JSONSlice: Sendable {
    /// The value's text, without spaces around it.
    package let bytes: ArraySlice<UInt8>

    /// The whole of a text.
    package init(_ text: [UInt8]) { self.init(text[...]) }

    private init(_ text: ArraySlice<UInt8>) {
        let rest = text.drop(while: Self.isSpace)
        bytes = rest.prefix((rest.lastIndex { !Self.isSpace($0) } ?? rest.startIndex - 1) + 1 - rest.startIndex)
    }

    /// The elements of an array, or the values of an object's members, in the order of the text. Empty for other values. Takes
    /// linear time.
    package var values: [JSONSlice] {
        guard let first = bytes.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return [] }
        var values: [JSONSlice] = []
        var depth = 0
        var start: Int?
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "\""): index = endOfString(from: index)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1, first == UInt8(ascii: "[") { start = index + 1 }
            case UInt8(ascii: ":") where depth == 1: start = index + 1
            case UInt8(ascii: ",") where depth == 1:
                if let start { values.append(JSONSlice(bytes[start..<index])) }
                start = index + 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 1, let start {
                    let last = JSONSlice(bytes[start..<index])
                    if !last.bytes.isEmpty { values.append(last) }
                }
                depth -= 1
            default: break
            }
            index += 1
        }
        return values
    }

    /// The value of an object's member; nil if there is none.
    /// - Parameter object: the object that the parser made of this text.
    package func member(_ key: String, of object: JSONValue) -> JSONSlice? {
        guard case .object(let members) = object, let place = members.firstIndex(where: { $0.key == key }) else { return nil }
        let values = values
        return values.indices.contains(place) ? values[place] : nil
    }

    /// The place of a string's closing quote; at or after the end for a string without one.
    private func endOfString(from quote: Int) -> Int {
        var index = quote + 1
        while index < bytes.endIndex, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
