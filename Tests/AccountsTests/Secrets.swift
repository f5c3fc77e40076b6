import Foundation
import SparkStorage

@testable import SparkAccounts

/// A hash cheaper than any server makes.
func weakHash(of password: String) throws -> String {
    try PasswordHash(
        of: password, salt: Array(repeating: 7, count: 16), parameters: PasswordParameters(ln: 2, r: 8, p: 1)
    ).text
}

func tokenBytes(_ text: String) -> [UInt8]? { RefreshToken(text: text)?.bytes }

enum TokenSearch {
    /// The number of rows that hold the token itself.
    static func count(of token: [UInt8], in session: SQLSession) throws -> Int {
        try session.value("SELECT COUNT(*) FROM accounts_refresh_tokens WHERE token_hash = ?", token, as: Int.self) ?? -1
    }
}
