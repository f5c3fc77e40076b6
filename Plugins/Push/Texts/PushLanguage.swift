import SparkCore

/// A language in which pushes are written.
enum PushLanguage: String, WireWord {
    case en, de, fr, es, it, pt, nl, pl, sv, ja

    static let summary = "A language in which pushes are written."

    /// By the primary subtag of a language tag (RFC 5646), e.g. `pt-BR`; nil for an unsupported language.
    init?(tag: String) {
        let primary = tag.prefix { $0 != "-" && $0 != "_" }.lowercased()
        self.init(rawValue: primary)
    }

    /// The first supported language of an `Accept-Language` field (RFC 9110, 12.5.4). Weights are ignored: browsers send them in
    /// order.
    init?(acceptLanguage field: String) {
        for range in field.prefix(200).split(separator: ",") {
            let tag = range.prefix { $0 != ";" }.filter { $0 != " " }
            if let language = PushLanguage(tag: String(tag)) {
                self = language
                return
            }
        }
        return nil
    }
}
