import Crypto

/// What a warm spill is, and whether it may be taken up again. Its file is taken away when the spill is opened and written
/// when the stamps have been restored: a start that dies between leaves none, and the spill is discarded.
struct SpillManifest: Equatable {
    static let name = "manifest.spill"
    private static let version: UInt32 = 1

    /// `EntryKey.hash` of everything in it.
    var seed: UInt64
    /// Names the stamp snapshot and the log that belong to it.
    var generation: UInt64
    /// Counts the starts: the upper 24 bits of the sequence numbers.
    var starts: UInt32
    /// Whether it was closed, so that it stands on the disk and not only in the page cache.
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

    /// Whether what this manifest stands for is sound and of the same database.
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

    /// Nil if the bytes are not what `encoded` makes.
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
}
