import SparkFiles

/// Why a backup or a restoration did not succeed: a sentence for the operator, with what to do.
public enum BackupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Something must be changed first: a place, a right, room on a disk, a key.
    case refused(String)
    /// Another attempt later may succeed.
    case unavailable(String)
    /// The backup is damaged or incomplete; the sentence names the object.
    case damaged(String)
    /// Everything could be read, but the restored data has faults: those of `spark check`.
    case unsound([String])

    /// What is wrong with an object that is not encrypted where everything should be.
    static let mayBeForged =
        "it is not encrypted, although the backups here are, so anybody who writes to the place may have made it; "
        + "--allow-unencrypted takes it, for a place where encryption was turned on later"

    /// The sentence.
    public var description: String {
        switch self {
        case .refused(let text), .unavailable(let text), .damaged(let text): text
        case .unsound(let faults): "the restored data has faults: \(faults.prefix(5).joined(separator: "; "))"
        }
    }

    /// The error of a store or of a file in the same words for every place.
    /// - Parameter what: what was attempted, such as `backup to /mnt/backups`.
    package static func of(_ error: any Error, during what: String) -> any Error {
        switch error {
        case BackupStoreError.missing(let name): damaged("\(what): \(name) is missing")
        case BackupStoreError.refused(let text): refused("\(what): \(text)")
        case BackupStoreError.unavailable(let text): unavailable("\(what): \(text)")
        case BackupStoreError.damaged(let text): damaged("\(what): \(text)")
        case let error as FileError where error.fault.isOutOfSpace:
            refused("\(what): the disk of \(error.path) is full; make room there, or name another place")
        case let error as FileError: refused("\(what): \(error)")
        default: error
        }
    }
}
