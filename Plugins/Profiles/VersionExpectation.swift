/// The versions that a client expects to change: `If-Match` (RFC 9110, section 13.1.1).
enum VersionExpectation: Hashable, Sendable {
    /// Any version: no header, or `*`.
    case whichever
    case oneOf(Set<Int64>)

    /// Reads the header. Tags of another form match no version.
    ///
    /// A weak tag counts as a strong one: proxies that compress an answer weaken its tag (nginx, `gzip on`), and our tags name
    /// the version of the record, whatever the bytes are.
    init(header: String?) {
        guard let header, header.trimmed != "*" else {
            self = .whichever
            return
        }
        let versions = header.split(separator: ",").compactMap { tag -> Int64? in
            var tag = tag.trimmed
            if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            guard tag.count > 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
            let parts = tag.dropFirst().dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            // The part after the version distinguishes answers with the same version.
            let text = parts[0]
            // Each version has one spelling, because entity tags are compared byte by byte.
            guard let version = Int64(text), String(version) == text else { return nil }
            return version
        }
        self = .oneOf(Set(versions))
    }

    func isMet(by version: Int64) -> Bool {
        switch self {
        case .whichever: true
        case .oneOf(let versions): versions.contains(version)
        }
    }
}

extension StringProtocol {
    /// The text without leading and trailing spaces and tabs.
    fileprivate var trimmed: SubSequence {
        let start = firstIndex { $0 != " " && $0 != "\t" } ?? endIndex
        let end = lastIndex { $0 != " " && $0 != "\t" }.map { index(after: $0) } ?? endIndex
        return self[start..<Swift.max(start, end)]
    }
}
