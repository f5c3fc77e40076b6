import SparkCore
import SparkDecks

/// Reads the interests as Profiles stores them, a JSON array of texts, many times faster than as JSON: a million people are read at a
/// start, and all that is wanted of a text is its code.
enum InterestList {
    /// Each once, in order; none for what is no such array.
    static func codes(_ json: UnsafeRawBufferPointer) -> [InterestCode] {
        // Two bytes are "[]".
        guard json.count > 2 else { return [] }
        // An escape makes the bytes differ from the text.
        guard !json.contains(UInt8(ascii: "\\")) else { return parsed(json) }
        var codes: [InterestCode] = []
        var start = -1
        for position in json.indices where json[position] == UInt8(ascii: "\"") {
            if start < 0 {
                start = position + 1
            } else {
                add(InterestCode(json[start..<position]), to: &codes)
                start = -1
            }
        }
        return codes
    }

    private static func parsed(_ json: UnsafeRawBufferPointer) -> [InterestCode] {
        var codes: [InterestCode] = []
        for value in (try? JSONParser.parse(json))?.array ?? [] {
            if let text = value.string { add(InterestCode(text), to: &codes) }
        }
        return codes
    }

    private static func add(_ code: InterestCode, to codes: inout [InterestCode]) {
        for known in codes where known == code { return }
        codes.append(code)
    }
}
