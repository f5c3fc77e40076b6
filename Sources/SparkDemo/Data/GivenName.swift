import SparkCore

/// A given name and the gender whose bearers it is drawn for.
struct GivenName: Sendable {
    let text: String
    let gender: Gender

    static let header = "name,gender"

    /// Reads the two fields of a row; nil when the gender is none of the wire's words.
    init?(fields: [Substring]) {
        guard fields.count == 2, let gender = Gender(wire: String(fields[1])) else { return nil }
        self.text = String(fields[0])
        self.gender = gender
    }
}
