/// Why a drill did not run. Nothing is known about the backup then.
public struct DrillSkipped: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was missing.
    public enum Reason: String, Sendable {
        /// There is no complete backup.
        case backup
        /// The backup is encrypted, and no identity opens it.
        case key
        /// The disk has no room for the restored data.
        case space
        /// The place cannot be read.
        case place

        /// The reason in some words, without a name or a path.
        public var words: String {
            switch self {
            case .backup: "there is no complete backup"
            case .key: "no key opens the encrypted backup"
            case .space: "the disk has no room for it"
            case .place: "the place of the backups cannot be read"
            }
        }
    }

    /// What was missing.
    public let reason: Reason
    /// A sentence for the operator, with what to do.
    public let description: String
    /// Whether another attempt later may succeed without anybody doing something.
    public let isTemporary: Bool

    /// A drill that was skipped.
    public init(_ reason: Reason, _ description: String, isTemporary: Bool = false) {
        (self.reason, self.description, self.isTemporary) = (reason, description, isTemporary)
    }
}
