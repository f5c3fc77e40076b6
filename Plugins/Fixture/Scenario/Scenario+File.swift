import SparkCore

// The schema of a scenario's file, as docs/guide/scenarios.md describes it.

extension Scenario {
    private static let mostPeople = 1_000
    private static let mostActs = 100_000
    private static let mostMessages = 10_000
    private static let mostInCrowd = 1_000_000
    private static let usualPassword = "correct horse battery"

    /// Reads a file.
    /// - Parameter file: How messages name it.
    /// - Throws: `ScenarioFault` for the first mistake.
    public init(name: String, file: String, text: String) throws(ScenarioFault) {
        let root = try ScenarioNode(file: file, text: text)
        let members = try root.members([
            "summary", "people", "town", "likes", "matches", "blocks", "reports", "swipes", "closed",
        ])
        guard let summary = members["summary"] else { throw root.conflict("expected a summary") }
        let people = try members["people"].map(Self.people) ?? []
        let names = people.map(\.name)
        let town = try members["town"].map(Self.town)
        self.name = name
        self.summary = try summary.text(1...200)
        self.people = people
        self.town = town
        self.likes = try Self.list(members["likes"]) { node throws(ScenarioFault) in try Self.like(node, names) }
        self.matches = try Self.list(members["matches"]) { node throws(ScenarioFault) in try Self.match(node, names) }
        self.blocks = try Self.list(members["blocks"]) { node throws(ScenarioFault) in
            let members = try node.members(["by", "target"])
            return try Self.act(node, members, names)
        }
        self.reports = try Self.list(members["reports"]) { node throws(ScenarioFault) in try Self.report(node, names) }
        self.swipes = try Self.list(members["swipes"]) { node throws(ScenarioFault) in try Self.swipes(node, names, town) }
        self.closed = try Self.list(members["closed"]) { node throws(ScenarioFault) in try node.word(names) }
    }

    private static func list<Value>(
        _ node: ScenarioNode?, _ read: (ScenarioNode) throws(ScenarioFault) -> Value
    ) throws(ScenarioFault) -> [Value] {
        var values: [Value] = []
        for element in try node?.elements(0...mostActs) ?? [] { values.append(try read(element)) }
        return values
    }

    private static func required(
        _ key: String, of node: ScenarioNode, _ members: [String: ScenarioNode]
    ) throws(ScenarioFault) -> ScenarioNode {
        guard let member = members[key] else { throw node.conflict("expected the key \(key)") }
        return member
    }

    // MARK: People

    private static func people(_ node: ScenarioNode) throws(ScenarioFault) -> [Person] {
        var people: [Person] = []
        for (name, value) in try node.entries() {
            let isName =
                name.utf8.first.map { (0x61...0x7A).contains($0) } == true && name.utf8.count <= 32
                && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            guard isName else { throw value.conflict("expected a name of a-z, 0-9 and _ that begins with a letter") }
            people.append(try person(name, value))
        }
        guard people.count <= mostPeople else {
            throw node.conflict("expected at most \(mostPeople) people; use town for a crowd")
        }
        return people
    }

    private static func person(_ name: String, _ node: ScenarioNode) throws(ScenarioFault) -> Person {
        let genders = Gender.wireWords
        var person = Person(
            name: name, email: "\(name)@example.org", password: usualPassword,
            displayName: name.prefix(1).uppercased() + name.dropFirst(), birthDate: "1995-06-15", gender: "woman",
            interestedIn: genders, place: .usual)
        guard !node.isNull else { return person }
        let members = try node.members([
            "name", "email", "password", "birth_date", "gender", "interested_in", "place", "about", "interests",
        ])
        if let value = members["name"] { person.displayName = try value.text(1...50) }
        if let value = members["email"] { person.email = try value.text(3...254) }
        if let value = members["password"] { person.password = try value.text(8...128) }
        if let value = members["birth_date"] { person.birthDate = try value.date() }
        if let value = members["gender"] { person.gender = try value.word(genders) }
        if let value = members["interested_in"] {
            person.interestedIn = []
            for element in try value.elements(1...genders.count) { person.interestedIn.append(try element.word(genders)) }
        }
        if let value = members["place"] { person.place = value.isNull ? nil : try place(value) }
        if let value = members["about"] { person.about = try value.text(0...1_000) }
        if let value = members["interests"] {
            var interests: [String] = []
            for element in try value.elements(0...20) { interests.append(try element.text(1...40)) }
            person.interests = interests
        }
        return person
    }

    private static func place(_ node: ScenarioNode) throws(ScenarioFault) -> Place {
        let members = try node.members(["latitude", "longitude"])
        return Place(
            latitude: try required("latitude", of: node, members).number(-90...90),
            longitude: try required("longitude", of: node, members).number(-180...180))
    }

    private static func town(_ node: ScenarioNode) throws(ScenarioFault) -> Town {
        let members = try node.members(["people", "seed", "place", "radius_km", "swipes"])
        var town = Town(
            people: try required("people", of: node, members).integer(1...mostInCrowd), seed: 1, place: .usual,
            radiusKilometres: 15, hasSwipes: true)
        if let value = members["seed"] { town.seed = UInt64(try value.integer(0...Int(Int32.max))) }
        if let value = members["place"] { town.place = try place(value) }
        if let value = members["radius_km"] { town.radiusKilometres = try value.number(0.1...500) }
        if let value = members["swipes"] { town.hasSwipes = try value.flag() }
        return town
    }

    // MARK: What they did

    private static func like(_ node: ScenarioNode, _ names: [String]) throws(ScenarioFault) -> Like {
        let members = try node.members(["from", "to", "action"])
        let like = Like(
            from: try required("from", of: node, members).word(names), to: try required("to", of: node, members).word(names),
            action: try members["action"]?.word(["like", "superlike", "pass", "skip"]) ?? "like")
        guard like.from != like.to else { throw node.conflict("expected two people") }
        return like
    }

    private static func match(_ node: ScenarioNode, _ names: [String]) throws(ScenarioFault) -> Match {
        let members = try node.members(["between", "messages"])
        var pair: [String] = []
        for element in try required("between", of: node, members).elements(2...2) { pair.append(try element.word(names)) }
        guard pair[0] != pair[1] else { throw node.conflict("expected two people") }
        var match = Match(first: pair[0], second: pair[1], messages: [])
        guard let messages = members["messages"] else { return match }
        guard messages.isList else {
            let count = try messages.integer(0...mostMessages)
            match.messages = (0..<count).map { (pair[$0 % 2], ScenarioLines.line($0)) }
            return match
        }
        for element in try messages.elements(0...mostMessages) {
            let members = try element.members(["from", "text"])
            match.messages.append(
                (
                    from: try required("from", of: element, members).word(pair),
                    text: try required("text", of: element, members).text(1...2_000)
                ))
        }
        return match
    }

    private static func act(
        _ node: ScenarioNode, _ members: [String: ScenarioNode], _ names: [String]
    ) throws(ScenarioFault) -> Act {
        let act = Act(
            by: try required("by", of: node, members).word(names), target: try required("target", of: node, members).word(names))
        guard act.by != act.target else { throw node.conflict("expected two people") }
        return act
    }

    private static func report(_ node: ScenarioNode, _ names: [String]) throws(ScenarioFault) -> Act {
        let members = try node.members(["by", "target", "category", "text"])
        var act = try act(node, members, names)
        act.category = try required("category", of: node, members).word([
            "spam", "harassment", "fake", "underage", "inappropriate", "other",
        ])
        if let text = members["text"] { act.text = try text.text(0...2_000) }
        return act
    }

    private static func swipes(
        _ node: ScenarioNode, _ names: [String], _ town: Town?
    ) throws(ScenarioFault) -> Swipes {
        let members = try node.members(["by", "count", "like_every"])
        guard let town else { throw node.conflict("expected a town, on whose people the swipes are") }
        return Swipes(
            by: try required("by", of: node, members).word(names),
            count: try required("count", of: node, members).integer(1...town.people),
            likeEvery: try members["like_every"]?.integer(1...1_000_000) ?? 3)
    }
}

/// What people of a scenario write to each other.
enum ScenarioLines {
    private static let lines = [
        "Hi! How was your week?", "Long, but good. And yours?", "I was outside most of the time.", "Where do you like to go?",
        "To the river, early in the morning.", "I know that walk!", "Do you have a dog?", "No, a bicycle.",
        "What are you reading?", "Something about the sea.", "I have never been sailing.", "We could change that.",
        "That sounds lovely.", "Do you cook?", "Badly, but with pleasure.", "Then I bring the bread.",
    ]

    /// The line at a position; the lines come again and again.
    static func line(_ position: Int) -> String { lines[position % lines.count] }
}
