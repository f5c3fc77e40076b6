public import Foundation

/// A place that keeps backups and archives: a directory or a bucket. Names are relative paths of ASCII letters, digits, `.`, `-`,
/// `_` and `/`.
public protocol BackupStore: Sendable {
    /// The place without credentials, for messages.
    var description: String { get }

    /// Stores a file under a name, and replaces what was there. The object is visible only when it is complete and durable.
    /// - Throws: `BackupStoreError`.
    func put(_ file: URL, as name: String) async throws

    /// Copies an object into a new file.
    /// - Throws: `BackupStoreError`, `.missing` if there is no such object.
    func get(_ name: String, into file: URL) async throws

    /// The objects whose names begin with a prefix, sorted by name.
    /// - Throws: `BackupStoreError`.
    func list(_ prefix: String) async throws -> [StoredObject]

    /// Deletes an object; succeeds if there is none.
    /// - Throws: `BackupStoreError`.
    func delete(_ name: String) async throws
}

/// An object in a store.
public struct StoredObject: Hashable, Sendable {
    /// Its name in the store.
    public let name: String
    /// Its size in bytes.
    public let size: Int64

    /// Creates a description.
    public init(name: String, size: Int64) { (self.name, self.size) = (name, size) }
}

/// Why a store did not do what it was asked.
public enum BackupStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no object with this name.
    case missing(String)
    /// The store refused for good until somebody changes something: permissions, credentials, a missing bucket, a full disk.
    case refused(String)
    /// The store cannot be reached or failed for now; trying again later may help.
    case unavailable(String)
    /// The object is there, but not as it was stored, or it can no longer be read; the sentence names it.
    case damaged(String)

    /// The sentence for the operator.
    public var description: String {
        switch self {
        case .missing(let name): "\(name) is missing"
        case .refused(let text), .unavailable(let text), .damaged(let text): text
        }
    }
}
