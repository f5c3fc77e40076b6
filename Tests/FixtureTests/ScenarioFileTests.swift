import SparkFixture
import Testing

@Suite("The file of a scenario")
struct ScenarioFileTests {
    @Test("the built-in scenarios are read, each says what it is")
    func builtIn() throws {
        #expect(
            Scenario.names == ["empty", "strangers", "liked", "matched", "blocked", "busy", "spam", "closed", "town"])
        for name in Scenario.names {
            let scenario = try #require(try Scenario.named(name))
            #expect(scenario.name == name)
            #expect(!scenario.summary.isEmpty && !scenario.summary.hasSuffix("."))
        }
        let nobody = try Scenario.named("nobody")
        #expect(nobody == nil)
    }

    @Test(
        "a mistake is named with file, line, path and what was expected",
        arguments: [
            ("", "expected keys and values, found nothing"),
            ("summary: [", "expected YAML"),
            ("people: {}", "expected a summary"),
            ("summary: x\nsummary: y", "summary: expected once, found twice"),
            ("summary: x\npeopel: {}", "2: peopel: expected one of summary, people, town"),
            ("summary: x\npeopel: {}", "did you mean people?"),
            ("summary: x\npeople: [ada]", "2: people: expected keys and values, found a list of 1"),
            ("summary: x\npeople:\n  ada:\n    place:\n      latitude: 1", "4: people.ada.place: expected the key longitude"),
            ("summary: x\npeopel:\n  ada:\n    about: y", "2: peopel: expected one of"),
            ("summary: x\npeople:\n  - ada", "2: people: expected keys and values, found a list of 1"),
            ("summary: x\npeople: {a: {}}\nlikes:\n  - from: a", "4: likes[0]: expected the key to"),
            ("summary: x\npeople:\n  Ada: {}", "3: people.Ada: expected a name of a-z"),
            (
                "summary: x\npeople:\n  ada: {gender: lady}",
                "people.ada.gender: expected one of woman, man, nonbinary, found \"lady\""
            ),
            ("summary: x\npeople:\n  ada: {birth_date: 1995-13-01}", "people.ada.birth_date: expected a date such as 1995-06-15"),
            (
                "summary: x\npeople:\n  ada: {place: {latitude: 91, longitude: 0}}",
                "people.ada.place.latitude: expected a number of"
            ),
            ("summary: x\npeople:\n  ada: {place: {latitude: 1}}", "people.ada.place: expected the key longitude"),
            ("summary: x\npeople:\n  ada: {interested_in: []}", "people.ada.interested_in: expected a list of 1 to 3"),
            (
                "summary: x\npeople: {ada: {}}\nlikes: [{from: ada, to: ben}]",
                "3: likes[0].to: expected one of ada, found \"ben\""
            ),
            ("summary: x\npeople: {ada: {}}\nlikes: [{from: ada, to: ada}]", "likes[0]: expected two people"),
            (
                "summary: x\npeople: {a: {}, b: {}}\nmatches: [{between: [a, b], messages: many}]",
                "matches[0].messages: expected a whole number"
            ),
            (
                "summary: x\npeople: {a: {}, b: {}, c: {}}\nmatches: [{between: [a, b], messages: [{from: c, text: x}]}]",
                "matches[0].messages[0].from: expected one of a, b"
            ),
            (
                "summary: x\npeople: {a: {}, b: {}}\nreports: [{by: a, target: b, category: rude}]",
                "reports[0].category: expected one of spam"
            ),
            ("summary: x\ntown: {people: 0}", "town.people: expected a whole number of 1 to 1000000, found \"0\""),
            ("summary: x\npeople: {a: {}}\nswipes: [{by: a, count: 3}]", "swipes[0]: expected a town"),
            (
                "summary: x\npeople: {a: {}}\ntown: {people: 2}\nswipes: [{by: a, count: 3}]",
                "swipes[0].count: expected a whole number of 1 to 2"
            ),
            ("summary: x\nclosed: [a]", "closed[0]: expected one of"),
        ])
    func mistakes(text: String, expected: String) throws {
        var found = ""
        do {
            _ = try Scenario(name: "x", file: "some/x.yaml", text: text)
        } catch {
            found = "\(error)"
        }
        #expect(found.hasPrefix("some/x.yaml:"))
        #expect(found.contains(expected), "\(found)")
    }
}
