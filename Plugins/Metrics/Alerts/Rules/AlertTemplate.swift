import Foundation

/// A text with placeholders for an alert's labels and value: the part of Go's templates that annotations use.
///
/// `{{ $labels.NAME }}` and `{{ $value }}`, also as input to `humanize`, `humanize1024`, `humanizePercentage`, `humanizeDuration`
/// (`{{ $value | humanize }}`) and `printf "%.0f"`. Other placeholders are refused when the text is parsed.
package struct AlertTemplate: Hashable, Sendable {
    private enum Part: Hashable {
        case text(String)
        case label(String)
        case value(Filter?)
    }

    enum Filter: String {
        case humanize, humanize1024, humanizePercentage, humanizeDuration
        /// A whole number: what `increase` computes of a count has fractions.
        case whole = #"printf "%.0f""#
    }

    /// The source text.
    package let text: String
    private let parts: [Part]

    /// Nil when the text has an unsupported placeholder.
    package init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let start = rest.range(of: "{{") {
            guard let end = rest.range(of: "}}", range: start.upperBound..<rest.endIndex),
                let part = Self.part(rest[start.upperBound..<end.lowerBound])
            else { return nil }
            parts.append(.text(String(rest[..<start.lowerBound])))
            parts.append(part)
            rest = rest[end.upperBound...]
        }
        parts.append(.text(String(rest)))
        self.text = text
        self.parts = parts
    }

    private static func part(_ words: Substring) -> Part? {
        let steps = words.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        guard let subject = steps.first, steps.count <= 2 else { return nil }
        var filter: Filter?
        if steps.count == 2 {
            guard let named = steps.last.flatMap(Filter.init(rawValue:)) else { return nil }
            filter = named
        }
        if subject == "$value" { return .value(filter) }
        guard subject.hasPrefix("$labels."), filter == nil else { return nil }
        let name = subject.dropFirst("$labels.".count)
        guard let first = name.utf8.first, !(0x30...0x39).contains(first),
            name.utf8.allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || (0x30...0x39).contains($0) || $0 == 0x5F })
        else { return nil }
        return .label(String(name))
    }

    /// Fills in the placeholders; a missing label gives an empty text.
    package func filled(labels: [String: String], value: Double) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .label(let name): labels[name] ?? ""
            case .value(let filter): HumanNumber(value).text(filter)
            }
        }.joined()
    }
}
