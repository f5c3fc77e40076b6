public import SparkCore

/// A state of the database in an archive: the one after a commit.
public struct ArchivePosition: Hashable, Sendable {
    /// The name of the generation.
    public let generation: String
    /// The number of the commit in the generation; 0 for the state in which the generation began.
    public let commit: Int64
    /// When the commit ended; for commit 0, when the generation began.
    public let at: Timestamp

    /// Creates a position.
    public init(generation: String, commit: Int64, at: Timestamp) {
        (self.generation, self.commit, self.at) = (generation, commit, at)
    }
}

extension ArchivePosition: CustomStringConvertible {
    /// The position as text: `generation/commit/milliseconds`.
    public var description: String { "\(generation)/\(commit)/\(at.milliseconds)" }

    /// Reads the text of `description`; nil for any other text.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let commit = Int64(parts[1]), let at = Int64(parts[2]),
            0...SegmentName.largest ~= commit, 0...SegmentName.largest ~= at
        else {
            return nil
        }
        self.init(generation: String(parts[0]), commit: commit, at: Timestamp(milliseconds: at))
    }
}

/// A backup from which an archive can be replayed: the pages of the database as they were at one moment, each in its place. A copy made
/// with `VACUUM INTO` has other pages and cannot be used.
public struct ArchiveBase: Hashable, Sendable {
    /// The name of the backup.
    public let name: String
    /// A state that is not later than the backup: everything up to it is in the backup.
    public let from: ArchivePosition
    /// A state of the same generation that is not earlier than the backup. From here on, every state can be restored.
    public let to: ArchivePosition
    /// The number of the last entry of the operators' log in the backup.
    public let lastEntry: Int64

    /// Creates a description.
    public init(name: String, from: ArchivePosition, to: ArchivePosition, lastEntry: Int64) {
        (self.name, self.from, self.to, self.lastEntry) = (name, from, to, lastEntry)
    }
}

/// Why an archive cannot be read, or a state not be restored from it.
public enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A segment is damaged, or is not the one that belongs there.
    case damaged(segment: String, String)
    /// Segments of a generation are missing between two that are there.
    case incomplete(generation: String, after: Int64)
    /// The moment is not in the archive; the ranges that are.
    case outOfRange(String, [ArchiveRange])
    /// The moment is later than everything in the archive; the ranges that it has.
    case later(String, [ArchiveRange])
    /// No commit in the archive brought the entry; the numbers of those that commits brought, and the ranges.
    case noEntry(String, [ClosedRange<Int64>], [ArchiveRange])
    /// Several histories in the archive have such an entry.
    case ambiguous(String, [LogEntry])
    /// The backup is later than the wanted state; an earlier one is needed.
    case tooLate(backup: String, String)
    /// The archive and the restored backup do not fit together, or the database cannot be read.
    case unusable(String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .damaged(let segment, let reason):
            "segment \(segment) of the archive is damaged: \(reason). Choose a moment before it, or one after a later backup"
        case .incomplete(let generation, let number):
            "the archive \(generation) has no segment \(number + 1), but later ones. Choose a moment before it, or one after a later backup"
        case .outOfRange(let moment, let ranges): "\(moment) is not in the archive; \(Self.text(ranges))"
        case .later(let moment, let ranges):
            "\(moment) is later than everything in the archive. The last commit in it is of "
                + "\(ranges.last.map { "\($0.last)" } ?? "no time"), and whether others followed is not known: use --at latest; "
                + Self.text(ranges)
        case .noEntry(let entry, let numbers, let ranges):
            "no commit in the archive brought \(entry); it brought \(Self.text(numbers)); \(Self.text(ranges))"
        case .ambiguous(let entry, let found):
            "several histories in this place have \(entry). Name one by its hash: "
                + found.map { "--before \(Self.prefix(of: $0)) (entry \($0.number), \($0.action), \($0.at), \($0.hash))" }
                .joined(separator: "; ")
        case .tooLate(let backup, let moment): "the backup \(backup) is later than \(moment)"
        case .unusable(let reason): reason
        }
    }

    /// So much of a hash that it is no number.
    private static func prefix(of entry: LogEntry) -> String {
        let letter = entry.hash.firstIndex { !$0.isNumber }.map { entry.hash.distance(from: entry.hash.startIndex, to: $0) + 1 }
        return String(entry.hash.prefix(max(12, letter ?? entry.hash.count)))
    }

    private static func text(_ numbers: [ClosedRange<Int64>]) -> String {
        let words = Set(numbers).sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }.map { numbers in
            numbers.count == 1 ? "\(numbers.lowerBound)" : "\(numbers.lowerBound) to \(numbers.upperBound)"
        }
        return words.isEmpty ? "none" : "the entries \(words.joined(separator: ", "))"
    }

    private static func text(_ ranges: [ArchiveRange]) -> String {
        ranges.isEmpty
            ? "there is no backup from which it can be replayed"
            : "it has "
                + ranges.map { range in
                    "\(range.first) to \(range.last)"
                        + (range.missing.map { " (after which it has no segment \($0), but later ones)" } ?? "")
                }.joined(separator: ", ")
    }
}

/// The moments that can be restored, without a gap, with one generation of an archive.
public struct ArchiveRange: Hashable, Sendable {
    /// The name of the generation.
    public let generation: String
    /// The earliest state.
    public let first: Timestamp
    /// The last archived commit.
    public let last: Timestamp
    /// The number of the last archived commit.
    public let lastCommit: Int64
    /// The number of segments.
    public let segments: Int
    /// The bytes of all segments.
    public let bytes: Int64
    /// The number of the segment after it that is missing although later ones are there; nil if the range ends the generation.
    public let missing: Int64?
}
