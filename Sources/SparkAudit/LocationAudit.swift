package import SparkClient
import SparkCore

/// Attacks a running server with synthetic victims and attackers, using published attacks on dating services, and measures how
/// close each attack gets to the victims.
///
/// Attackers use only the public API. Where the server limits an account's moves, a new account takes over, so limits cost an
/// attack time but do not stop it. All accounts are closed at the end.
package struct LocationAudit: Sendable {
    private static let atOnce = 6

    private let client: SparkClient
    private let ground: AuditGround
    private let size: AuditSize
    private let seed: UInt64

    /// - Parameters:
    ///   - client: unauthenticated.
    ///   - seed: for places, directions and noise. It does not affect the server's randomness.
    package init(client: SparkClient, ground: AuditGround, size: AuditSize = .full, seed: UInt64 = 1) {
        self.client = client
        self.ground = ground
        self.size = size
        self.seed = seed
    }

    /// - Parameters:
    ///   - progress: called with the number of completed steps and the total.
    ///   - notice: called with a sentence about a wait or a problem.
    /// - Throws: `AuditError`, and the transport's errors when the server cannot be reached.
    package func run(
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> LocationReport {
        try await Cast.with(client, notice: notice) { try await run(in: $0, progress: progress) }
    }

    private func run(
        in cast: Cast, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) async throws -> LocationReport {
        let attacks = size.attacks
        let total = attacks.count + 1
        progress(0, total)
        var settled: [(home: Home, target: Target)] = []
        for exposure in Exposure.allCases {
            settled += try await inParallel(try homes(exposure)) { number, home in
                (home, try await settle(home, exposure, number: number, in: cast))
            }
        }
        progress(1, total)
        var outcomes: [AttackOutcome] = []
        for (number, attack) in attacks.enumerated() {
            for exposure in attack.exposures {
                let victims = settled.filter { $0.target.exposure == exposure }
                let before = cast.requests.value
                let places = try await inParallel(victims) { index, victim in
                    var random = stream(.attack, number * 1_000 + index)
                    return try await attack.locate(victim.target, using: &random)
                }
                outcomes.append(
                    AttackOutcome(
                        attack: attack.name, exposure: exposure, floor: ground.floor(exposure),
                        requests: cast.requests.value - before, mayLocate: attack.mayLocate,
                        estimates: zip(places, victims).map { (place: $0, home: $1.home) }))
            }
            progress(number + 2, total)
        }
        return LocationReport(outcomes: outcomes)
    }

    private func homes(_ exposure: Exposure) throws -> [Home] {
        var random = stream(exposure == .shown ? .shownHomes : .hiddenHomes, 0)
        return try (0..<size.victims(exposure)).map { number in
            guard let home = HomePlaces.home(number, exposure, on: ground, using: &random) else { throw AuditError.noHome }
            return home
        }
    }

    /// Registers a victim and attackers, who query until they know the neighbourhood.
    private func settle(_ home: Home, _ exposure: Exposure, number: Int, in cast: Cast) async throws -> Target {
        var random = stream(exposure == .shown ? .shownHomes : .hiddenHomes, 1 + number)
        let kilometres = Int.random(in: 30...50, using: &random)
        let victim = try await Victim.settle(home, exposure, looking: kilometres, on: ground, in: cast)
        let (spy, decoy) = (try await Spy(.spy, in: cast), try await Spy(.victim, in: cast))
        let life = random.next()
        func target(_ neighbourhood: Coordinate) -> Target {
            Target(
                id: victim.account.id, exposure: exposure, neighbourhood: neighbourhood, spy: spy, decoy: decoy,
                live: { kind, step in
                    var random = SplitMix64(seed: life &+ UInt64(step))
                    try await victim.live(kind, step: step, random: &random)
                }, act: { try await victim.act($0) }, hire: { try await Spy($0, in: cast) })
        }
        let hint = home.place.moved(
            by: Offset(
                bearing: Double.random(in: 0..<2 * .pi, using: &random), metres: Double.random(in: 2_000...10_000, using: &random)
            ))
        var clues: [Clue] = []
        for bearing in Spy.bearings(4, using: &random) {
            let place = hint.moved(by: Offset(bearing: bearing, metres: 8_000))
            if let clue = try await target(hint).limitClue(from: place, within: 2...33) { clues.append(clue) }
        }
        guard let neighbourhood = Multilaterator.place(clues, from: hint) else {
            throw AuditError.blind(attack: "looking for the neighbourhood")
        }
        return target(neighbourhood)
    }

    private enum Stream: UInt64 {
        case shownHomes, hiddenHomes, attack
    }

    private func stream(_ stream: Stream, _ number: Int) -> SplitMix64 {
        SplitMix64(seed: SplitMix64.mix(seed) ^ SplitMix64.mix(stream.rawValue << 32 | UInt64(number)))
    }

    /// Runs `body` for each element, some concurrently. Results are in the order of the elements.
    private func inParallel<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Int, Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [(Int, Result)] = []
            for (index, element) in elements.enumerated() {
                if index >= Self.atOnce, let result = try await group.next() { results.append(result) }
                group.addTask { (index, try await body(index, element)) }
            }
            for try await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
