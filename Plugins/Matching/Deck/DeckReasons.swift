import SparkCore
import SparkDecks

/// Why a deck is as small as it is, in counts that are rounded down so that they identify nobody.
struct DeckReasons: JSONObject {
    /// All counts are rounded down to multiples of this, so that one person more or less rarely shows.
    static let grain = 5

    /// A filter that keeps people out of a deck.
    enum Filter: String, WireWord {
        case gender, inactive, age, distance, decided
        case theirPreferences = "their_preferences"

        static let schemaName = "DeckFilter"
        static let summary = "A filter that keeps people out of a deck."
    }

    /// How many people a filter removes.
    struct Removal: JSONObject {
        let filter: Filter
        let people: Int

        static let fields = Fields<Removal>("DeckRemoval", "How many people a filter removes.") {
            Field("filter", \.filter)
            Field("people", \.people, .integer)
        }
    }

    /// How many people a looser preference would add.
    struct Loosening: JSONObject {
        let filter: Filter
        var minAge: Int?
        var maxAge: Int?
        var maxDistanceKilometres: Int?
        let people: Int

        static let fields = Fields<Loosening>("DeckLoosening", "How many people a looser preference would add.") {
            Field("filter", \.filter)
            Field(optional: "min_age", \.minAge, .integer)
            Field(optional: "max_age", \.maxAge, .integer)
            Field(optional: "max_distance_km", \.maxDistanceKilometres, .integer, isInExample: false)
            Field("people", \.people, .integer)
        }
    }

    let census: DeckCensus
    let preferences: Preferences

    static let fields = Fields<DeckReasons>("DeckReasons", "Why a deck is as small as it is, in rounded counts.") {
        Field("around", { told($0.census.around) }, .integer, "People within the viewer's distance.")
        Field("removed", \.removed)
        Field("left", { told($0.census.left) }, .integer, "People in the deck.")
        Field("loosening", \.loosening)
    }

    private static func told(_ count: Int) -> Int { count / grain * grain }

    private var removed: [Removal] {
        [
            Removal(filter: .gender, people: Self.told(census.gender)),
            Removal(filter: .inactive, people: Self.told(census.inactive)),
            Removal(filter: .age, people: Self.told(census.age)),
            Removal(filter: .theirPreferences, people: Self.told(census.theirs)),
            Removal(filter: .decided, people: Self.told(census.decided)),
        ]
    }

    private var loosening: [Loosening] {
        [
            Loosening(
                filter: .age, minAge: max(18, preferences.minAge - 5), maxAge: min(120, preferences.maxAge + 5),
                people: Self.told(census.addedByAge)),
            Loosening(
                filter: .distance, maxDistanceKilometres: min(20_000, 2 * preferences.maxDistanceKilometres),
                people: Self.told(census.addedByDistance)),
            Loosening(filter: .gender, people: Self.told(census.addedByGender)),
        ]
    }
}
