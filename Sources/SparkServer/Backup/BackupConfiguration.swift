public import SparkBackup
import SparkCore
public import SparkKit

/// The section `backup`: where backups go, how often, and how long they are kept. Copies before migrations are another thing; see
/// `server.backup_days`.
public struct BackupConfiguration: ModuleConfiguration {
    /// The directory or the bucket; empty for no scheduled backups.
    public let place: String
    /// The time from one backup to the next.
    public let interval: Duration
    /// The age at which a backup is removed.
    public let age: Duration
    /// The public keys for which backups are encrypted.
    public let recipients: [String]
    /// Beyond this size of the write-ahead log a backup gives up, in bytes.
    public let maximumLogBytes: Int64

    /// Whether every commit is archived in the same place.
    public let archives: Bool
    /// The longest time from a commit to the end of its segment of the archive.
    public let archiveInterval: Duration
    /// The most bytes of the archive that wait for the place.
    public let spoolBytes: Int64

    /// How to reach the bucket, if the place is one; what it leaves open is taken from the environment.
    public let bucket: S3Settings
    /// Whether the newest backup is restored and checked every night.
    public let drills: Bool
    /// The full hour at which that is done, UTC.
    public let drillHour: Int
    /// The file with a private key that opens encrypted backups for it; empty for none.
    public let drillIdentityFile: String

    /// Whether backups are made by themselves.
    public var isOn: Bool { !place.isEmpty }

    /// The place, if it is a directory.
    package var folder: String? { isOn && !place.contains("://") ? place : nil }

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .text(
            "to", default: "",
            "Where backups go: a directory on another disk, or s3://bucket/prefix; empty: no backups are made by themselves."),
        .integer("every_hours", 1...8_760, default: 24, "Hours from one backup to the next."),
        .integer(
            "keep_days", 1...3_650, default: 30,
            "Backups are removed at this age, and with them what was erased since; the newest one stays."),
        .list(
            "recipients", default: [],
            "Public keys (age1…) for which backups are encrypted; who loses all their private keys loses the backups.",
            fault: { $0.hasPrefix("age1") ? nil : "a public key of age is expected, such as age1…" }),
        .integer(
            "max_wal_mb", 64...1_048_576, default: 4_096,
            "While a backup is made the write-ahead log grows; beyond this size, in MiB, the backup gives up."),
        .boolean(
            "archive", default: true,
            "Whether every commit also goes to backup.to, so that spark restore --at reaches any moment; without backup.to, nothing."
        ),
        .integer(
            "archive_every_ms", 100...60_000, default: 750,
            "Commits are gathered for so long before they go to backup.to; what a lost disk takes with it."),
        .integer(
            "spool_mb", 64...1_048_576, default: 1_024,
            "While backup.to cannot be reached, commits wait in the data directory up to this size, in MiB."),
        .text(
            "s3_endpoint", default: "",
            "Address of S3-compatible storage, such as https://s3.example.org; empty: AWS_ENDPOINT_URL, or AWS."),
        .text(
            "s3_region", default: "", "Region of the bucket, such as eu-central-1; empty: AWS_REGION, or us-east-1.",
            fault: { $0.isEmpty || $0.utf8.allSatisfy(isOfRegion) ? nil : "a region is expected, such as eu-central-1" }),
        .choice(
            "s3_addressing", Addressing.allCases.map(\.rawValue), default: Addressing.auto.rawValue,
            "Where a request names the bucket: in the path, or in the host name (virtual); auto: in the path if an endpoint is set."
        ),
        .text(
            "s3_access_key", default: "",
            "Identifier of the key to the bucket, with s3_secret_key_file; empty: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            isSecret: true),
        .file(
            "s3_secret_key_file", atMost: S3Configuration.longestSecretFile, "File with the secret part of s3_access_key."),
        .file(
            "s3_trusted_roots_file", atMost: S3Configuration.longestRootsFile,
            "Further trusted certificates (PEM) for the way to the bucket; empty: AWS_CA_BUNDLE."),
        .boolean(
            "drill", default: true,
            "Whether spark serve restores the newest backup every night into a scratch folder and checks it; without backup.to, nothing."
        ),
        .integer("drill_hour", 0...23, default: 3, "The full hour at which that is done, UTC."),
        .file(
            "drill_identity_file", atMost: 65_536,
            "A file with a private key (AGE-SECRET-KEY-1…) for drills of encrypted backups; without it these are skipped, with an alert."
        ),
    ]

    private enum Addressing: String, CaseIterable {
        case auto, path, virtual
    }

    private static func isOfRegion(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.place = values.text("to")
        self.interval = .hours(values.integer("every_hours"))
        self.age = .days(values.integer("keep_days"))
        self.recipients = values.list("recipients")
        self.maximumLogBytes = Int64(values.integer("max_wal_mb")) << 20
        self.archives = values.boolean("archive")
        self.archiveInterval = .milliseconds(values.integer("archive_every_ms"))
        self.spoolBytes = Int64(values.integer("spool_mb")) << 20
        self.bucket = Self.bucket(values)
        self.drills = values.boolean("drill")
        self.drillHour = values.integer("drill_hour")
        self.drillIdentityFile = values.text("drill_identity_file")
    }

    private static func bucket(_ values: SettingValues) -> S3Settings {
        func text(_ key: String) -> String? {
            let text = values.text(key)
            return text.isEmpty ? nil : text
        }
        var settings = S3Settings()
        settings.endpoint = text("s3_endpoint")
        settings.region = text("s3_region")
        settings.addressing =
            switch Addressing(rawValue: values.text("s3_addressing")) {
            case .path: .path
            case .virtual: .host
            case .auto, nil: .automatic
            }
        settings.accessKey = text("s3_access_key")
        settings.secretKeyFile = text("s3_secret_key_file")
        settings.trustedRootsFile = text("s3_trusted_roots_file")
        return settings
    }

    /// Recipients that cannot be used, a place or an endpoint in a wrong form, and half a key. The place and the endpoint are not
    /// repeated: somebody may have written a key into them.
    public static func faults(of values: SettingValues) -> [SettingFault] {
        var faults: [SettingFault] = []
        do {
            _ = try BackupCiphers.sealing(values.list("recipients"))
        } catch {
            faults.append(SettingFault("recipients", reason: "\(error)"))
        }
        do {
            if !values.text("to").isEmpty { try BackupStores.check(values.text("to")) }
        } catch {
            faults.append(SettingFault("to", reason: "\(error)"))
        }
        let bucket = bucket(values)
        if let endpoint = bucket.endpoint, let fault = WebAddress.fault(endpoint, tail: .prefix) {
            faults.append(SettingFault("s3_endpoint", reason: fault))
        }
        if (bucket.accessKey == nil) != (bucket.secretKeyFile == nil) {
            faults.append(
                SettingFault(
                    "s3_access_key", "s3_secret_key_file",
                    reason: bucket.accessKey == nil
                        ? "the secret key has no identifier; set backup.s3_access_key as well"
                        : "the key has no secret part; set backup.s3_secret_key_file as well"))
        }
        return faults
    }
}
