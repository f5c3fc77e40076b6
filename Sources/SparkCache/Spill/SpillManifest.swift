import Crypto

/// Describes a warm spill and whether it may be used again. The file is removed when the spill is opened, and written when the
/// stamps have been restored: a start that dies in between leaves none, and the spill is discarded.
struct SpillManifest: Equatable {
    static let name = "manifest.spill"
    private static let version: UInt32 = 1

    /// The seed of `EntryKey.hash`.
    var seed: UInt64
    /// Identifies the snapshot of the stamps and their log.
    var generation: UInt64
    /// The number of starts: the upper 24 bits of the sequence numbers.
    var starts: UInt32
    /// Whether the spill was closed, so that it is on the disk and not only in the page cache.
    var isClean: Bool
    var fingerprint: [UInt8]
    var boot: [UInt8]

    init(seed: UInt64, configuration: SpillConfiguration) {
        self.seed = seed
        self.generation = 0
        self.starts = 0
        self.isClean = false
        self.fingerprint = Self.digest(configuration.nextFingerprint ?? configuration.fingerprint)
        self.boot = Self.digest(configuration.bootIdentity)
    }

    private static func digest(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// Whether the spill is intact and belongs to the same database.
    func isUsable(with configuration: SpillConfiguration) -> Bool {
        fingerprint == Self.digest(configuration.fingerprint)
            && (isClean || !configuration.bootIdentity.isEmpty && boot == Self.digest(configuration.bootIdentity))
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(Self.version)
        bytes.appendLittleEndian(seed)
        bytes.appendLittleEndian(generation)
        bytes.appendLittleEndian(starts)
        bytes.appendLittleEndian(UInt8(isClean ? 1 : 0))
        return bytes + fingerprint + boot
    }

    /// Nil unless the bytes are what `encoded` returned.
    init?(_ bytes: [UInt8]) {
        let parsed = bytes.withUnsafeBytes { raw -> SpillManifest? in
            var reader = SpillBytesReader(raw)
            guard reader.next(UInt32.self) == Self.version, let seed = reader.next(UInt64.self),
                let generation = reader.next(UInt64.self), let starts = reader.next(UInt32.self),
                let isClean = reader.next(UInt8.self), let fingerprint = reader.next(count: 32),
                let boot = reader.next(count: 32), reader.remaining == 0
            else { return nil }
            return SpillManifest(
                seed: seed, generation: generation, starts: starts, isClean: isClean == 1, fingerprint: Array(fingerprint),
                boot: Array(boot))
        }
        guard let parsed else { return nil }
        self = parsed
    }

    private init(seed: UInt64, generation: UInt64, starts: UInt32, isClean: Bool, fingerprint: [UInt8], boot: [UInt8]) {
        self.seed = seed
        self.generation = generation
        self.starts = starts
        self.isClean = isClean
        self.fingerprint = fingerprint
        self.boot = boot
    }

    /// The manifest for this start: of this boot, and unclean until it is closed.
    func renewed(_ configuration: SpillConfiguration) -> SpillManifest {
        var manifest = SpillManifest(seed: seed, configuration: configuration)
        manifest.generation = generation
        manifest.starts = starts
        return manifest
    }
}
