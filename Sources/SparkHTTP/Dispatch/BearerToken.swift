/// The token in an `Authorization` field (RFC 6750, 2.1).
package enum BearerToken {
    /// The token; nil for any other scheme.
    package static func read(_ field: String) -> String? {
        guard let space = field.utf8.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let scheme = field[..<space]
        guard scheme == "Bearer" || scheme.lowercased() == "bearer" else { return nil }
        let token = field[space...].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}
