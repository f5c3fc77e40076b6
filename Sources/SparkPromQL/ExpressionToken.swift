/// A word of the language, with where it begins.
struct Token: Hashable {
    enum Kind: Hashable {
        /// A name or a keyword; which of them depends on its place.
        case word(String)
        case number(Double)
        /// Milliseconds.
        case duration(Int64)
        case string(String)
        /// Brackets, commas, operators.
        case symbol(String)
        case end
    }

    let kind: Kind
    let offset: Int
}
