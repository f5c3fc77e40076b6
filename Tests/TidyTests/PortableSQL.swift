import Foundation

/// What only SQLite accepts in a statement.
struct PortableSQL {
    private struct Rule {
        let name: String
        let pattern: NSRegularExpression

        init(_ name: String, _ pattern: String) throws {
            self.name = name
            self.pattern = try NSRegularExpression(pattern: pattern)
        }
    }

    private let rules: [Rule]
    private let statement: NSRegularExpression
    private let extremum: NSRegularExpression

    init() throws {
        rules = try [
            Rule("OR IGNORE and the like", #"(?i)\b(?:INSERT|UPDATE)\s+OR\s+[A-Z]+|\bREPLACE\s+INTO\b"#),
            Rule("ON CONFLICT without a target", #"(?i)\bON\s+CONFLICT\b(?!\s*\()"#),
            Rule("rowid", #"(?i)\b(?:_rowid_|rowid|oid)\b"#),
            Rule("GLOB", #"\bGLOB\b"#),
            Rule("MATCH, full text", #"\bMATCH\b|(?i)\b(?:fts[345]|bm25\s*\(|virtual\s+table)"#),
            Rule(
                "a function of SQLite",
                #"(?i)\b(?:ifnull|iif|total|random|randomblob|hex|unhex|zeroblob|typeof|group_concat|instr|char|unicode|likely|unlikely|likelihood|last_insert_rowid|changes|total_changes|printf|quote|soundex|json|jsonb|(?:json|jsonb)_[a-z_]+)\s*\("#
            ),
            Rule(
                "a date function",
                #"(?i)\b(?:strftime|unixepoch|julianday|datetime|timediff|date|time)\s*\(|'(?:now|unixepoch|localtime)'"#),
            Rule("date arithmetic", #"(?i)'[+-]?\d+\s+(?:second|minute|hour|day|month|year)s?'|\bINTERVAL\s+'"#),
            Rule("==", "=="),
            Rule("LIMIT -1, LIMIT a, b", #"\bLIMIT\s+-|\bLIMIT\s+[?\w~]+\s*,"#),
            Rule(
                "IS between values",
                #"\bIS\s+(?!NOT\b|NULL\b|DISTINCT\b|TRUE\b|FALSE\b)[?'\w(~]|\bIS\s+NOT\s+(?!NULL\b|DISTINCT\b|TRUE\b|FALSE\b)\S"#),
            Rule("double quotes", "\""),
            Rule("a table option of SQLite", #"(?i)\bWITHOUT\s+ROWID\b|\bAUTOINCREMENT\b|\)\s*STRICT\b"#),
            Rule("a table of SQLite", #"(?i)\bsqlite_[a-z]+|\bpragma_[a-z_]+\s*\("#),
            Rule("PRAGMA", #"\bPRAGMA\b"#),
            Rule("a command of SQLite", #"\b(?:VACUUM|ATTACH|DETACH)\b"#),
            Rule("INDEXED BY", #"\bINDEXED\b"#),
            Rule("LIMIT of a change", #"^\s*(?:UPDATE|DELETE)\b[^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\bLIMIT\b"#),
            Rule("COLLATE", #"\bCOLLATE\s+(?:NOCASE|BINARY|RTRIM)\b"#),
        ]
        // A fragment without a keyword is known by its places.
        statement = try NSRegularExpression(
            pattern:
                #"\b(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|PRAGMA|VACUUM|ATTACH|WHERE|FROM|JOIN|VALUES|ON CONFLICT|ORDER BY|GROUP BY|AND|IS NULL|IS NOT|CASE WHEN)\b|[=<>(,] ?\?"#
        )
        extremum = try NSRegularExpression(pattern: #"(?i)\b(?:min|max)\s*\("#)
    }

    func isSQL(_ text: String) -> Bool { Self.matches(statement, text) }

    /// The names of the rules that a text breaks.
    func faults(of text: String) -> [String] {
        rules.filter { Self.matches($0.pattern, text) }.map(\.name) + (hasScalarExtremum(text) ? ["min or max of values"] : [])
    }

    /// Whether `min` or `max` has more than one argument: as an aggregate it has one.
    private func hasScalarExtremum(_ text: String) -> Bool {
        extremum.matches(in: text, range: NSRange(text.startIndex..., in: text)).contains { match in
            guard let range = Range(match.range, in: text) else { return false }
            var depth = 1
            for character in text[range.upperBound...] {
                switch character {
                case "(": depth += 1
                case ")": depth -= 1
                case "," where depth == 1: return true
                default: break
                }
                if depth == 0 { return false }
            }
            return false
        }
    }

    private static func matches(_ pattern: NSRegularExpression, _ text: String) -> Bool {
        pattern.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }
}
