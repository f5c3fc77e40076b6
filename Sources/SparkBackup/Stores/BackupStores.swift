public import Foundation

/// Opens the place that an operator names.
public enum BackupStores {
    /// - Parameters:
    ///   - place: the path of a directory, or the URL of a bucket.
    ///   - bucket: how to reach a bucket. What it leaves open is taken from the environment.
    ///   - keeper: checks before everything that a directory is the right one; nil for no check. Buckets need none.
    ///   - environment: the variables of the process.
    /// - Throws: `BackupError` for a place of an unknown kind, and for a bucket whose settings are wrong. No key is in it.
    public static func open(
        _ place: String, bucket: S3Settings = S3Settings(), keeper: PlaceGuard? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> any BackupStore {
        try check(place)
        guard place.hasPrefix(S3Configuration.scheme) else {
            return DirectoryStore(URL(filePath: place, directoryHint: .isDirectory), keeper: keeper)
        }
        do throws(BackupStoreError) {
            return try S3Store(try S3Configuration(place, bucket.filled(from: S3Settings(environment: environment))))
        } catch {
            throw BackupError.of(error, during: "open \(place)")
        }
    }

    /// Opens a place that is only read. Blocks.
    /// - Throws: as `open`, and `BackupError.refused` for a directory that is not there, or is a data directory.
    public static func openForReading(_ place: String, bucket: S3Settings = S3Settings()) throws -> any BackupStore {
        let store = try open(place, bucket: bucket)
        try (store as? DirectoryStore)?.requireThere()
        return store
    }

    /// A place in a form that can be compared and remembered: the absolute path of a directory, whose links are not followed, because
    /// they lead nowhere while a disk is not mounted.
    public static func key(of place: String) -> String {
        guard !place.hasPrefix(S3Configuration.scheme) else { return place }
        return URL(filePath: place, directoryHint: .isDirectory).absoluteURL.standardizedFileURL.path
    }

    /// Whether two names are of one place, also by links.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        let keys = [one, other].map { key(of: $0) }
        guard keys[0] != keys[1] else { return true }
        guard !keys.contains(where: { $0.hasPrefix(S3Configuration.scheme) }) else { return false }
        return BackupJob.resolved(keys[0]) == BackupJob.resolved(keys[1])
    }

    /// Checks the form of a place; opens and reads nothing.
    /// - Throws: `BackupError.refused`. It repeats no part of the place but a short scheme: a key may be in it by mistake.
    public static func check(_ place: String) throws {
        guard !place.isEmpty else { throw BackupError.refused("name the directory for the backups") }
        if place.hasPrefix(S3Configuration.scheme) {
            // Such a prefix would become a part of the names of objects.
            guard !place.contains("@"), !place.contains("?") else {
                throw BackupError.refused(
                    "the place of a bucket has neither a key nor a query: write s3://BUCKET/PREFIX, and the key into "
                        + "backup.s3_access_key and backup.s3_secret_key_file")
            }
            do throws(BackupStoreError) {
                try S3Configuration.check(place)
            } catch {
                throw BackupError.of(error, during: "open a bucket")
            }
        } else if place.contains("://") || place.hasPrefix("s3:") {
            throw BackupError.refused(
                "\(scheme(of: place)) is no place for backups; name a directory, or a bucket as s3://bucket/prefix")
        }
    }

    /// The place for messages: as it is if its form is right, otherwise without what may be a key.
    public static func shown(_ place: String) -> String { (try? check(place)) == nil ? scheme(of: place) : place }

    private static func scheme(of place: String) -> String {
        let scheme = place.prefix { $0 != ":" }
        let isOne =
            scheme.utf8.count <= 8
            && scheme.utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "3") }
        return isOne ? "\(scheme)://" : "this"
    }
}
