/// A language that pushes are written in.
enum PushLanguage: String, CaseIterable, Sendable {
    case en, de, fr, es, it, pt, nl, pl, sv, ja

    /// By the first part of a language tag (RFC 5646), e.g. `pt-BR`; nil for one that is not among them.
    init?(tag: String) {
        let primary = tag.prefix { $0 != "-" && $0 != "_" }.lowercased()
        self.init(rawValue: primary)
    }

    /// The first known of an `Accept-Language` field (RFC 9110, 12.5.4); the order stands for the weights, as browsers write it.
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
