import Foundation
import SparkBackup
import SparkCore
import SparkFiles

/// The places in which a data directory has backups, in `spark.backup/places.json`: their identifiers, and the lists of erased people in
/// places other than `backup.to`.
struct KnownPlaces: Equatable, Sendable {
    /// One place.
    struct Place: Equatable, Sendable {
        /// As `BackupStores.key(of:)` has it.
        var key: String
        /// The identifier in a directory; empty for a bucket.
        var identifier = ""
        /// The lists of erased people that this data directory has there, by their names.
        var lists: [String] = []
    }

    private static let name = "places.json"
    /// Older ones are forgotten.
    private static let most = 50

    /// The one that was used last is the last.
    private(set) var places: [Place] = []

    /// What a data directory remembers; nothing if there is no file, or it cannot be read.
    init(in directory: URL) {
        places = (BackupStateFile(Self.name, in: directory).read()?["places"]?.array ?? []).compactMap { json in
            json["place"]?.string.map { key in
                Place(
                    key: key, identifier: json["identifier"]?.string ?? "",
                    lists: (json["lists"]?.array ?? []).compactMap(\.string))
            }
        }
    }

    /// What is known of a place.
    subscript(key: String) -> Place { places.first { $0.key == key } ?? Place(key: key) }

    /// Changes what is known of a place. Best effort: a place that is forgotten is adopted again by what it has.
    static func update(_ key: String, in directory: URL, _ change: (inout Place) -> Void) {
        var known = KnownPlaces(in: directory)
        let before = known[key]
        var place = before
        change(&place)
        guard place != before else { return }
        known.places.removeAll { $0.key == key }
        known.places = known.places.suffix(most - 1) + [place]
        BackupStateFile(name, in: directory).write { writer in
            writer.key("places")
            writer.array(known.places)
        }
    }
}

extension KnownPlaces.Place: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("place", key)
            if !identifier.isEmpty { writer.field("identifier", identifier) }
            if !lists.isEmpty { writer.field("lists", lists) }
        }
    }
}

/// What a data directory remembers of one of these places, for its guard.
struct KnownPlaceMemory: PlaceMemory {
    let key: String
    let directory: URL
    /// Whether it is `backup.to`.
    let isConfigured: Bool

    var identifier: String? {
        let identifier = KnownPlaces(in: directory)[key].identifier
        return identifier.isEmpty ? nil : identifier
    }

    func misses(_ root: URL) -> Bool {
        let record = BackupRecord(in: directory)
        guard isConfigured, record.place.isEmpty || record.place == key, record.scheduledSince != nil, !record.backup.isEmpty
        else {
            return false
        }
        return FileStatus(path: root.appending(path: BackupName.folder).path) == nil
    }

    func remember(_ identifier: String) {
        KnownPlaces.update(key, in: directory) { $0.identifier = identifier }
    }
}
