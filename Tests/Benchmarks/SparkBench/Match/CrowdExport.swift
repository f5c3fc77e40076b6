public import Foundation
import SparkCore
import SparkDecks

/// The benchmark's people, viewers and Spark's answers as files, so that other engines can run the same queries.
///
/// - `crowd.json`: `{"people", "probes", "limit", "today", "active_since"}`; the last in seconds since 1970: people
///   who were last active before it are in no deck.
/// - `people.csv`: a line for each person. Genders are numbers, `interested_in` has the bit of each of them.
/// - `probes.csv`: number, viewer, and the people that the viewer has swiped, as `{1,2,3}`.
/// - `answers.csv`: number, and the ids of the nearest whose filters hold both ways, the nearest first, limits as set, as `{1,2,3}`.
///
/// Nobody in it likes a viewer, so incognito people are in no answer. Identifiers are numbers; the invented people of one
/// number and the probes of another are always the same, and those that `MatchBenchmark` times as the nearest.
public struct CrowdExport {
    private let settings: MatchBenchmark.Settings

    public init(_ settings: MatchBenchmark.Settings) { self.settings = settings }

    /// - Parameter directory: created if it is missing; files of these names in it are replaced.
    public func write(to directory: URL) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let crowd = Crowd(count: settings.people, seed: MatchBenchmark.crowdSeed)
        let probes = Probes.nearest(crowd, count: settings.probes).queries
        let index = DeckIndex()
        index.build(crowd.people)
        try write(crowd, to: directory)
        let asked = try LineFile(directory.appendingPathComponent("probes.csv"), header: "probe,viewer,excluded")
        let answered = try LineFile(directory.appendingPathComponent("answers.csv"), header: "probe,ids")
        for (number, probe) in probes.enumerated() {
            try asked.add("\(number),\(probe.viewer.id.rawValue),\(Self.list(probe.excluded.sorted))")
            try answered.add("\(number),\(Self.list(index.best(probe).ranks.map(\.id.rawValue)))")
        }
        try asked.close()
        try answered.close()
        let about: JSONValue = [
            "people": .integer(Int64(settings.people)), "probes": .integer(Int64(probes.count)),
            "limit": .integer(Int64(Probes.nearestLimit)), "today": .string(Crowd.now.date.description),
            "active_since": .integer(Probes.activeSince.flooredToSeconds.milliseconds / 1_000),
        ]
        try Data(JSONWriter.string(of: about).utf8).write(to: directory.appendingPathComponent("crowd.json"))
    }

    private func write(_ crowd: Crowd, to directory: URL) throws {
        let header =
            "id,latitude,longitude,birth,gender,interested_in,min_age,max_age,max_distance_km,last_active,incognito,hides_distance"
        let file = try LineFile(directory.appendingPathComponent("people.csv"), header: header)
        for row in crowd.people.rows {
            let (gender, set) = (row.gender, row.interestedIn)
            let flags = [row.flags.contains(.incognito), row.flags.contains(.hidesDistance)].map { $0 ? "1" : "0" }
            try file.add(
                "\(row.id),\(row.latitude),\(row.longitude),\(row.birth.date),\(gender.rawValue),\(set.rawValue),\(row.minAge),"
                    + "\(row.maxAge),\(row.reach),\(row.lastActive.rawValue),\(flags[0]),\(flags[1])")
        }
        try file.close()
    }

    private static func list(_ ids: [Int64]) -> String { "\"{" + ids.map(String.init).joined(separator: ",") + "}\"" }
}

/// A text file written line by line, in blocks.
private final class LineFile {
    private let file: FileHandle
    private var block: [UInt8] = []

    init(_ url: URL, header: String) throws {
        try Data().write(to: url)
        file = try FileHandle(forWritingTo: url)
        try add(header)
    }

    func add(_ line: String) throws {
        block += line.utf8
        block.append(UInt8(ascii: "\n"))
        if block.count >= 1 << 20 { try flush() }
    }

    func close() throws {
        try flush()
        try file.close()
    }

    private func flush() throws {
        try file.write(contentsOf: Data(block))
        block.removeAll(keepingCapacity: true)
    }
}
