import Crypto
import Dispatch
import FoundationEssentials
import SparkCore

/// The parameters for opening a spill.
struct SpillConfiguration: Sendable {
    /// A directory that only the spill uses; created when it is missing. Files with other names in it are left alone.
    var directory: URL
    /// The most bytes on disk, all files included. Exceeded only for moments, by less than one batch.
    var budget: Int
    /// The length at which a segment is completed. Limited to an eighth of the budget and to `Spill.maximumSegmentBytes`.
    var segmentBytes = 8 << 20
    /// Encrypts everything personal. Unless `isWarm`, a key of this start alone.
    var key: SymmetricKey
    /// Whether the entries outlive the process.
    var isWarm: Bool
    /// Names the database that the entries were read from. A spill of another database is discarded.
    var fingerprint: String
    /// The fingerprint that the database will have at the next start; nil: the same.
    var nextFingerprint: String?
    /// Identifies this boot of the machine. What a killed process wrote is in the page cache, so it is intact as long as the
    /// machine runs. After an unclean stop and another boot the spill is discarded.
    var bootIdentity = SpillConfiguration.currentBoot
    var files: any SpillFiles = POSIXFiles()
    /// For the salts of segments and the hash seed: unique, not secret.
    var random: any RandomSource = SystemRandomSource()
    /// Monotonic nanoseconds, for the pauses of the circuit breaker.
    var monotonic: @Sendable () -> UInt64 = { DispatchTime.now().uptimeNanoseconds }
    var breaker = SpillBreaker()

    /// The kernel's identifier of this boot; empty when there is none, which matches nothing.
    private static var currentBoot: String {
        guard let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8) else { return "" }
        return String(text.prefix { $0 != "\n" })
    }
}

/// What the spill needs to know about a namespace.
struct SpillNamespace: Sendable {
    /// As `EntryKey.namespace`.
    var identity: UInt32
    /// Whether its values are worth compressing.
    var isCompressed: Bool
}
