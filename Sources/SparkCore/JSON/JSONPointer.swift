/// Parts of JSON pointers (RFC 6901).
enum JSONPointer {
    /// The longest part of a client's member name that errors repeat.
    private static let longestToken = 64

    /// A member's name as a reference token: `~` and `/` are escaped, and a longer name is cut and ends in `…`.
    static func token(_ name: String) -> String {
        var token = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            guard index < longestToken else { return token + "…" }
            switch scalar {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.unicodeScalars.append(scalar)
            }
        }
        return token
    }
}
