/// The requests of one session, as they are planned.
struct DatingSession {
    private let person: Int
    private let layout: DatingLayout
    private(set) var time: Int64
    private(set) var requests: [TraceRequest] = []

    init(_ person: Int, at time: Int64, layout: DatingLayout) {
        self.person = person
        self.time = time
        self.layout = layout
        requests.reserveCapacity(96)
    }

    mutating func plan(_ people: inout DatingPeople, _ towns: DatingTowns, _ dice: inout Dice) {
        // What the server knows about the session when the socket opens.
        for namespace in Self.ownEntries { note(.sessionBegins, namespace, person) }
        note(.sessionBegins, .nearby, Int(people.cellOf[person]))
        for conversation in people.conversations(of: person) { note(.sessionBegins, .chat, conversation) }
        wait(0.2...0.8, &dice)
        open(&people, towns, &dice)
        repeat {
            wait(3...25, &dice)
            switch dice.fraction() {
            case ..<0.5: sweep(&people, towns, &dice)
            case ..<0.78: chat(&people, towns, &dice)
            case ..<0.88: lookAround(people, towns, &dice)
            default: lookAtOneself(&dice)
            }
        } while dice.happens(0.84)
        wait(2...20, &dice)
        for namespace in Self.ownEntries where namespace != .profile { note(.sessionEnds, namespace, person) }
    }

    private static let ownEntries: [DatingNamespace] = [.profile, .preferences, .matches, .queue, .suggestions]

    /// The app's first screen, and the person's current place.
    private mutating func open(_ people: inout DatingPeople, _ towns: DatingTowns, _ dice: inout Dice) {
        for namespace in Self.ownEntries { read(namespace, person) }
        if dice.happens(0.3) {
            wait(0.5...2, &dice)
            if dice.happens(0.4) {
                people.move(person, to: towns.anyCell(near: person, &dice))
                write(.suggestions, person)
            }
            write(.grid, towns.region(of: Int(people.cellOf[person]), person: person))
        }
        if dice.happens(0.4) { read(.nearby, Int(people.cellOf[person])) }
    }

    /// One profile after another, with a swipe on most.
    private mutating func sweep(_ people: inout DatingPeople, _ towns: DatingTowns, _ dice: inout Dice) {
        // A person's traits and preferences decide what they see.
        read(.profile, person)
        read(.preferences, person)
        read(.queue, person)
        for index in 1...dice.within(3...11) {
            let candidate = towns.candidate(for: person, &dice)
            read(.profile, candidate)
            wait(2...8, &dice)
            if dice.happens(0.2) {
                read(.profile, candidate)
                wait(2...8, &dice)
            }
            guard dice.happens(0.85) else { continue }
            write(.queue, person)
            if dice.happens(0.03), candidate != person { match(with: candidate, &people) }
            if index % 4 == 0 { read(.queue, person) }
        }
        if dice.happens(0.5) { read(.suggestions, person) }
    }

    private mutating func match(with candidate: Int, _ people: inout DatingPeople) {
        people.match(person, candidate)
        write(.matches, person)
        write(.matches, candidate)
        read(.matches, person)
    }

    private mutating func chat(_ people: inout DatingPeople, _ towns: DatingTowns, _ dice: inout Dice) {
        read(.matches, person)
        let conversations = people.conversations(of: person)
        guard !conversations.isEmpty else { return }
        let conversation = conversations[dice.below(conversations.count)]
        let partner = people.partner(of: person, in: conversation)
        people.noteUse(of: UInt32(conversation), by: person)
        people.noteUse(of: UInt32(conversation), by: partner)
        read(.chat, conversation)
        read(.profile, partner)
        for _ in 1...dice.within(1...5) {
            wait(4...20, &dice)
            write(.chat, conversation)
            if dice.happens(0.5) {
                wait(4...20, &dice)
                write(.chat, conversation)
            }
            read(.chat, conversation)
        }
    }

    private mutating func lookAround(_ people: DatingPeople, _ towns: DatingTowns, _ dice: inout Dice) {
        let cell = Int(people.cellOf[person])
        read(.profile, person)
        read(.nearby, cell)
        read(.grid, towns.region(of: cell, person: person))
        for _ in 1...dice.within(2...5) {
            wait(2...8, &dice)
            read(.profile, towns.candidate(for: person, &dice))
        }
    }

    private mutating func lookAtOneself(_ dice: inout Dice) {
        read(.profile, person)
        read(.preferences, person)
        if dice.happens(0.15) {
            wait(10...60, &dice)
            write(.profile, person)
            read(.profile, person)
        }
        if dice.happens(0.1) {
            wait(5...30, &dice)
            write(.preferences, person)
            wait(0.5...3, &dice)
            read(.preferences, person)
            read(.suggestions, person)
            read(.queue, person)
        }
    }

    private mutating func read(_ namespace: DatingNamespace, _ index: Int) { note(.read, namespace, index) }
    private mutating func write(_ namespace: DatingNamespace, _ index: Int) { note(.write, namespace, index) }

    private mutating func note(_ kind: TraceRequest.Kind, _ namespace: DatingNamespace, _ index: Int) {
        let key = layout.key(namespace, index)
        requests.append(
            TraceRequest(
                time: time, kind: kind, namespace: namespace.rawValue, key: UInt32(key), size: UInt32(layout.size(of: key)),
                user: UInt32(person)))
        // The requests of one screen are 20 ms apart.
        if kind == .read || kind == .write { time += 20 }
    }

    private mutating func wait(_ seconds: ClosedRange<Double>, _ dice: inout Dice) {
        time += Int64((seconds.lowerBound + dice.fraction() * (seconds.upperBound - seconds.lowerBound)) * 1_000)
    }
}
