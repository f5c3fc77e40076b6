import Foundation

/// The name of a closed segment, in the spool and in a store: `archive/<generation>/<number>-<commits>-<first>-<last>.seg`, so that a
/// listing alone shows what an archive contains.
struct SegmentName: Hashable, Sendable {
    static let folder = "archive"
    static let suffix = ".seg"
    /// No number or time of a segment is above this. Names and headers come from places that others can write to, and calculations
    /// with them must not overflow.
    static let largest: Int64 = 1 << 52

    var generation: String
    /// From 1, without gaps.
    var number: Int64
    /// The number of commits in the generation up to the segment's end.
    var commits: Int64
    /// The earliest and the latest time of a commit in it, in milliseconds since 1970.
    var first: Int64
    var last: Int64

    /// The file's name.
    var file: String {
        "\(Self.padded(number, 10))-\(Self.padded(commits, 15))-\(Self.padded(first, 15))-\(Self.padded(last, 15))\(Self.suffix)"
    }

    /// The object's name in a store.
    /// - Parameter suffix: What encryption appends.
    func object(_ suffix: String = "") -> String { "\(Self.folder)/\(generation)/\(file)\(suffix)" }

    static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(max(0, number))
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension SegmentName {
    /// The segment of an object; nil for any other object.
    init?(object name: String) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == Self.folder, !parts[1].isEmpty else { return nil }
        self.init(file: parts[2], generation: String(parts[1]))
    }

    /// The segment of a file in the spool; nil for any other file.
    init?(file: some StringProtocol, generation: String) {
        guard let end = file.range(of: Self.suffix), end.upperBound == file.endIndex || file[end.upperBound] == "." else {
            return nil
        }
        let numbers = file[..<end.lowerBound].split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 4, let number = numbers[0], let commits = numbers[1], let first = numbers[2],
            let last = numbers[3],
            number > 0, commits >= 0, [number, commits, first, last].allSatisfy({ $0 <= Self.largest })
        else { return nil }
        self.init(generation: generation, number: number, commits: commits, first: first, last: last)
    }
}
