/// Which version a client means to change: `If-Match` (RFC 9110, section 13.1.1).
enum VersionExpectation: Hashable, Sendable {
    /// Whichever there is: no header, or `*`.
    case whichever
    case oneOf(Set<Int64>)

    /// Reads the header. Tags that are weak, or none of ours, match no version.
    init(header: String?) {
        guard let header, header.trimmed != "*" else {
            self = .whichever
            return
        }
        let versions = header.split(separator: ",").compactMap { tag -> Int64? in
            let tag = tag.trimmed
            guard tag.count > 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
            let text = tag.dropFirst().dropLast()
            // One spelling a version, as an entity tag is compared byte by byte.
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
    /// Without the blanks and tabs around it.
    fileprivate var trimmed: SubSequence {
        let start = firstIndex { $0 != " " && $0 != "\t" } ?? endIndex
        let end = lastIndex { $0 != " " && $0 != "\t" }.map { index(after: $0) } ?? endIndex
        return self[start..<Swift.max(start, end)]
    }
}
