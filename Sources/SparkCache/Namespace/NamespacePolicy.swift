import Crypto
import SparkCore

/// What holds for all entries of a namespace.
public struct NamespacePolicy: Sendable {
    /// As the seeds name it, e.g. `user:profile`. Unique in a cache.
    public var name: String
    /// The form of the encoded values; a new one makes spilled values of the old form unreachable.
    public var version = 1
    /// How long an entry is good, if nothing invalidates it.
    public var lifetime: Duration
    /// Each lifetime is shortened by up to this share, so that what was cached together does not expire together.
    public var jitter = 0.1
    /// So long after it expired an entry is still served while a newer one is loaded. Never when it was invalidated.
    public var staleWhileRevalidate: Duration = .zero
    /// So long after it expired an entry is served when the origin fails. Never when it was invalidated.
    public var staleIfError: Duration = .zero
    /// How long "there is no such thing" is remembered; not at all if nil.
    public var negativeLifetime: Duration?
    /// A larger value is not cached, in bytes.
    public var maximumValueBytes = 256 * 1_024
    /// Whether entries go to the disk when memory has no room for them.
    public var isSpilled = true
    /// Whether they are compressed there.
    public var isCompressed = true
    /// How what is written reaches the origin.
    public var writing = Writing.through
    /// Whether the entries of a person, keyed by the person, are fetched ahead when the person comes and let go when they leave.
    public var followsSessions = false

    public enum Writing: Sendable {
        /// Whoever writes gives the origin the value first, and puts it afterwards.
        case through
        /// `writeBehind` takes the value, and the origin is given what has come together: so often, or sooner when much has; at a clean
        /// stop all of it. At most so many keys wait, beyond the budget of memory. Only for what may be lost when the process dies.
        case behind(flush: Duration, limit: Int)
    }

    public init(_ name: String, lifetime: Duration) {
        self.name = name
        self.lifetime = lifetime
    }

    /// Tells namespaces apart on the disk, over restarts and upgrades: of name and version.
    var identity: UInt32 {
        SHA256.hash(data: Array("\(name)/\(version)".utf8)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Milliseconds after expiry for which an entry is kept at all.
    var graceMilliseconds: UInt32 {
        UInt32(clamping: max(staleWhileRevalidate.milliseconds, staleIfError.milliseconds))
    }
}
