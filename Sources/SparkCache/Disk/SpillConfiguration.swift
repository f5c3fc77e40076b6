import Crypto
import Dispatch
import FoundationEssentials
import SparkCore

/// What a spill is opened with.
struct SpillConfiguration: Sendable {
    /// The directory that belongs to the spill alone; made where it is missing. Files of other names in it are left alone.
    var directory: URL
    /// Bytes on disk, everything counted. Exceeded for moments only, by less than one batch.
    var budget: Int
    /// The length at which a segment is sealed: taken down to an eighth of the budget, and to `Spill.maximumSegmentBytes`.
    var segmentBytes = 8 << 20
    /// Seals everything that is personal. Of this start alone, unless `isWarm`.
    var key: SymmetricKey
    /// Whether the entries outlive the process.
    var isWarm: Bool
    /// Names the database that the entries were read from: a spill of another one is discarded.
    var fingerprint: String
    /// What the database will be named by when the spill is taken up the next time; the same if nil.
    var nextFingerprint: String?
    /// Names this run of the machine. What a process left when it was killed is in the page cache, so it is sound as long as
    /// the machine runs; after an unclean stop and another boot the spill is discarded.
    var bootIdentity = SpillConfiguration.currentBoot
    var files: any SpillFiles = POSIXFiles()
    /// Salts of segments and the hash seed: unique, not secret.
    var random: any RandomSource = SystemRandomSource()
    /// Nanoseconds that never go back, for the pauses of the circuit breaker.
    var monotonic: @Sendable () -> UInt64 = { DispatchTime.now().uptimeNanoseconds }
    var breaker = SpillBreaker()

    /// The kernel's name for this boot; empty where there is none, which matches nothing.
    static var currentBoot: String {
        guard let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8) else { return "" }
        return String(text.prefix { $0 != "\n" })
    }
}

/// What the spill has to know of a namespace.
struct SpillNamespace: Sendable {
    /// `EntryKey.namespace`.
    var identity: UInt32
    /// Whether its values are worth the work of lz4.
    var isCompressed: Bool
}
