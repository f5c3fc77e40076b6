import CSparkData
import SparkCore

/// A described state of a server for tests: people, what they did, and a crowd. See docs/guide/scenarios.md for the file's schema.
public struct Scenario: Sendable {
    /// A person with a name and a session.
    struct Person: Sendable {
        var name: String
        var email: String
        var password: String
        var displayName: String
        var birthDate: String
        var gender: String
        var interestedIn: [String]
        /// Nil if the person has set no place.
        var place: Place?
        var about: String?
        var interests: [String]?
    }

    /// A place as the API takes it.
    struct Place: Sendable {
        var latitude: Double
        var longitude: Double

        /// Paris, where people without a place of their own are.
        static let usual = Place(latitude: 48.8566, longitude: 2.3522)
    }

    /// A decision of one person about another.
    struct Like: Sendable {
        var from: String
        var to: String
        var action: String
    }

    /// A match with its chat. The first of the pair liked first.
    struct Match: Sendable {
        var first: String
        var second: String
        var messages: [(from: String, text: String)]
    }

    /// An act of one person against another.
    struct Act: Sendable {
        var by: String
        var target: String
        var category = ""
        var text = ""
    }

    /// Many swipes of a person on the crowd.
    struct Swipes: Sendable {
        var by: String
        var count: Int
        var likeEvery: Int
    }

    /// Invented people without names, who live around a place.
    struct Town: Sendable {
        var people: Int
        var seed: UInt64
        var place: Place
        var radiusKilometres: Double
        /// Whether they have swiped, matched and written with each other.
        var hasSwipes: Bool
    }

    /// The name of a built-in scenario, or the path of the file.
    public let name: String
    /// One sentence without a full stop.
    public let summary: String
    let people: [Person]
    let town: Town?
    let likes: [Like]
    let matches: [Match]
    let blocks: [Act]
    let reports: [Act]
    let swipes: [Swipes]
    let closed: [String]

    /// The longest file, in bytes.
    public static let longestFile = 262_144

    /// The names of the built-in scenarios.
    public static var names: [String] { files.map(\.name) }

    /// A built-in scenario; nil for an unknown name.
    public static func named(_ name: String) throws(ScenarioFault) -> Scenario? {
        guard let file = files.first(where: { $0.name == name }) else { return nil }
        return try Scenario(name: name, file: "\(name).yaml", text: file.text)
    }

    private static let files: [(name: String, text: String)] = (0..<spark_data_scenario_count()).map { index in
        let file = spark_data_scenario(index)
        let bytes = UnsafeBufferPointer(start: file.file.bytes, count: file.file.length)
        return (String(cString: file.name), String(decoding: bytes, as: UTF8.self))
    }
}

/// A mistake in a scenario: the file, the place in it and what was expected there.
public struct ScenarioFault: Error, Hashable, CustomStringConvertible {
    let file: String
    let line: Int?
    /// Such as `people.ada.birth_date`; empty for the whole file.
    let path: String
    let reason: String

    /// `FILE:LINE: PATH: expected …`.
    public var description: String {
        let place = [file, line.map(String.init)].compactMap { $0 }.joined(separator: ":")
        return "\(place): \(path.isEmpty ? "" : "\(path): ")\(reason)"
    }
}
