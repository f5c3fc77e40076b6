import SparkCore

/// The body of `POST /users`: any part of a person. The routes of the API read the parts, so here they stay as they are.
struct PersonForm: RequestBody {
    /// The parts of a registration.
    private static let registrationParts = ["email", "password", "name", "birth_date", "gender", "interested_in"]
    /// Profile fields that a registration does not take.
    static let profileParts = ["about", "bio", "interests", "visibility"]

    /// The name in the test.
    let name: String?
    /// Everything else.
    let members: JSONValue

    static let body = BodyFields<PersonForm>(
        "PersonRequest", "Any part of a person; what is missing gets a value, a place excepted.", read: read
    ) {
        nameInTest
        handle
        shown("email", .string(3...254), "ada@example.org")
        shown("password", .string(8...128), "correct horse battery")
        Field<PersonForm, String?>(optional: "name", { _ in nil }, .personName, "The display name.")
        Field<PersonForm, CivilDate?>(optional: "birth_date", { _ in nil })
        Field<PersonForm, Gender?>(optional: "gender", { _ in nil })
        Field<PersonForm, GenderSet?>(optional: "interested_in", { _ in nil }, .genders())
        shown("about", .text(.about), "Climbs, cooks, reads.")
        shown("bio", .text(.about), "Climbs, cooks, reads.", isInExample: false)
        Field<PersonForm, [String]?>(optional: "interests", { _ in nil }, .distinctList(.interest, 0...12))
        Field<PersonForm, VisibilityPart?>(optional: "visibility", { _ in nil }, .object)
        Field<PersonForm, PlacePart?>(optional: "location", { _ in nil }, .object)
        Field<PersonForm, PreferencesPart?>(optional: "preferences", { _ in nil }, .object)
    }

    private static let nameInTest = Field<PersonForm, String?>(
        optional: "name_in_test", \.name, inTest, "The name by which the test calls the person from now on.")
    private static let handle = Field<PersonForm, String?>(
        optional: "handle", { _ in nil }, inTest, isInExample: false, "The same as name_in_test.")

    private static let inTest = FieldType<String>(
        Schema(["type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"], example: "ada"),
        format: "1 to 64 letters, digits, - and _, and no id",
        parse: { text in
            let marks = Array("-_".utf8)
            let isName = text.utf8.allSatisfy { marks.contains($0) || UInt8.alphanumeric.contains($0) }
            return (1...64).contains(text.utf8.count) && isName && UserID(wire: text) == nil ? text : nil
        }, text: \.self)

    private static func shown(
        _ name: String, _ type: FieldType<String>, _ example: String, isInExample: Bool = true
    ) -> Field<PersonForm, String?> {
        Field(optional: name, { _ in nil }, type.example(.string(example)), isInExample: isInExample)
    }

    private static func read(from reader: inout ObjectReader) -> PersonForm? {
        let (name, synonym) = (nameInTest.read(from: &reader), handle.read(from: &reader))
        let parts = registrationParts + profileParts + ["location", "preferences"]
        let members = parts.compactMap { part in
            reader.has(part) ? JSONMember(part, reader.member(part, nullable: true) ?? .null) : nil
        }
        guard let name, let synonym else { return nil }
        return PersonForm(name: name ?? synonym, members: .object(members))
    }

    /// How much others see, as the document shows it.
    struct VisibilityPart: JSONObject {
        static let fields = Fields<VisibilityPart>("VisibilityPart", "How much others see.", required: []) {
            Field<VisibilityPart, Bool?>(optional: "paused", { _ in nil }, isInExample: false, "In no deck.")
            Field<VisibilityPart, Bool?>(
                optional: "incognito", { _ in nil }, isInExample: false, "Shown only to people that this person likes.")
            Field("hide_distance", { _ in false }, "No distance is shown.")
        }
    }

    /// Where the person is, as the document shows it.
    struct PlacePart: JSONObject {
        static let fields = Fields<PlacePart>("PlacePart", "Where the person is.") {
            Field("latitude", { _ in 0 }, .number(-90...90).example(48.85))
            Field("longitude", { _ in 0 }, .number(-180...180).example(2.35))
        }
    }

    /// The preferences, as the document shows them.
    struct PreferencesPart: JSONObject {
        static let fields = Fields<PreferencesPart>(
            "PreferencesPart", "The people that the person wants to see; absent members stay as they are.", required: []
        ) {
            Field("min_age", { _ in 18 }, .integer(18...120).example(25))
            Field("max_age", { _ in 120 }, .integer(18...120).example(40))
            Field("max_distance_km", { _ in 50 }, .integer(1...20_000).example(50))
            Field("interested_in", { _ in .everyone }, .genders())
            Field("hard", { _ in HardPart() })
        }
    }

    /// The limits that are never relaxed, as the document shows them.
    struct HardPart: JSONObject {
        static let fields = Fields<HardPart>("HardPart", "The limits that are never relaxed.", required: []) {
            Field("age", { _ in true })
            Field("distance", { _ in true })
        }
    }
}

extension UInt8 {
    /// The ASCII letters and digits.
    fileprivate static let alphanumeric = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
}
