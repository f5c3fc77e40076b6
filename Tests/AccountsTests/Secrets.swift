import Foundation
import GRDB

@testable import SparkAccounts

/// A hash cheaper than any server makes.
func weakHash(of password: String) throws -> String {
    try PasswordHash(
        of: password, salt: Array(repeating: 7, count: 16), parameters: PasswordParameters(ln: 2, r: 8, p: 1)
    ).text
}

func tokenBytes(_ text: String) -> [UInt8]? { RefreshToken(text: text)?.bytes }

enum TokenSearch {
    /// How many rows hold the token itself.
    static func count(of token: [UInt8], in database: Database) throws -> Int {
        try Int.fetchOne(
            database, sql: "SELECT COUNT(*) FROM accounts_refresh_tokens WHERE token_hash = ?", arguments: [Data(token)]) ?? -1
    }
}
