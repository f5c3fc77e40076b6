public import SparkKit

/// The section `cache`: the cache's memory and disk.
public struct CacheSettings: ModuleConfiguration {
    /// The memory for cached entries, in bytes.
    public let memoryBytes: Int
    /// The size of the disk tier, in bytes; 0 for no disk tier.
    public let diskBytes: Int
    /// Whether the disk tier outlives a restart.
    public let isWarm: Bool

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .integer("memory_mb", 8...1_048_576, default: 64, "Memory for cached entries, in MiB."),
        .integer(
            "disk_mb", 0...49_152, default: 1_024,
            "Disk for entries that memory has no room for, in MiB; compressed and encrypted. 0: none."),
        .boolean(
            "warm_restart", default: true,
            "Whether the next start takes up what is on the disk. If not, its key is forgotten when the server ends."),
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.memoryBytes = values.integer("memory_mb") << 20
        self.diskBytes = values.integer("disk_mb") << 20
        self.isWarm = values.boolean("warm_restart")
    }
}
