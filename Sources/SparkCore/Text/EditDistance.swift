/// Finds the name that a person who mistyped probably meant.
public enum NearestName {
    /// The candidate with the smallest edit distance to `name`; nil if none is close enough (at most a third of the length, but
    /// at least 1). The first of several equally close candidates wins.
    public static func of(_ name: String, in candidates: some Sequence<String>) -> String? {
        let allowed = max(1, min(name.utf8.count, 60) / 3)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(Array(name.utf8.prefix(60)), Array(candidate.utf8.prefix(60)))
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The edit distance: how many letters must be added, removed or replaced to turn one text into the other. Only the first
    /// 60 bytes count.
    public static func distance(_ left: String, _ right: String) -> Int {
        distance(Array(left.utf8.prefix(60)), Array(right.utf8.prefix(60)))
    }

    /// Levenshtein's distance with one row of memory.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, min(row[j], diagonal) + 1)
            }
        }
        return row[right.count]
    }
}
