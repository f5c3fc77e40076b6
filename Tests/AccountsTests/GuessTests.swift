import SparkCore
import SparkKit
import Synchronization
import Testing

@testable import SparkAccounts

@Suite("Guessing passwords")
struct GuessTests {
    private let now = Timestamp(milliseconds: 1_772_366_400_000)

    private func limits(free: Int = 2, perNetwork: Int = 100) -> GuessLedger.Limits {
        .init(free: free, window: .seconds(900), longestWait: .seconds(5), perNetwork: perNetwork)
    }

    private func guess(_ account: String, from origin: String, _ trust: Guess.Trust = .stranger) -> Guess {
        Guess(email: account, origin: origin, trust: trust)
    }

    /// Makes an attempt that fails, and returns how long it waited.
    @discardableResult
    private func fail(_ ledger: inout GuessLedger, _ guess: Guess, after seconds: Int64 = 0) -> Duration? {
        guard case .check(let wait) = ledger.begin(guess, at: now + .seconds(seconds)) else { return nil }
        if wait > .zero { ledger.waited(guess) }
        return wait
    }

    @Test("the wait grows from half a second to five, and the window ends it")
    func grows() {
        var ledger = GuessLedger(limits())
        let guess = guess("ada", from: "n1")
        let waits = (0..<8).map { _ in fail(&ledger, guess) }
        #expect(waits == [0, 0, 500, 1_000, 2_000, 4_000, 5_000, 5_000].map { .milliseconds($0) })
        #expect(fail(&ledger, guess, after: 900) == .zero)
    }

    @Test("unknown networks wait for the failures of all unknown networks, the owner's network only for its own")
    func ownersNetwork() {
        var ledger = GuessLedger(limits())
        for number in 0..<50 { fail(&ledger, guess("ada", from: "n\(number)")) }
        #expect(fail(&ledger, guess("ada", from: "fresh")) == .seconds(5))
        #expect(fail(&ledger, guess("ada", from: "home", .network)) == .zero)
        #expect(fail(&ledger, guess("ada", from: "session", .session)) == .zero)
        #expect(fail(&ledger, guess("eve", from: "fresh")) == .zero)
    }

    @Test("the places for waiting are bounded by network and account; a known network has places of its own")
    func places() {
        var limits = limits(free: 1)
        limits.strangerPlaces = 6
        var ledger = GuessLedger(limits)
        fail(&ledger, guess("ada", from: "n1"))
        func begin(_ guess: Guess) -> Bool {
            if case .check = ledger.begin(guess, at: now) { true } else { false }
        }
        for _ in 0..<4 { #expect(begin(guess("ada", from: "n1"))) }
        #expect(ledger.begin(guess("ada", from: "n1"), at: now) == .refuse(retryAfter: .seconds(5)))
        for _ in 0..<2 { #expect(begin(guess("ada", from: "n2"))) }
        #expect(!begin(guess("ada", from: "n3")))
        #expect(begin(guess("ada", from: "home", .network)))
        #expect(begin(guess("ada", from: "home", .network)))
        ledger.waited(guess("ada", from: "n2"))
        #expect(begin(guess("ada", from: "n3")))
    }

    @Test("a network with many failures is refused at accounts that never used it, and waits at accounts that did")
    func networkLimit() {
        var ledger = GuessLedger(limits(free: 1_000, perNetwork: 5))
        for number in 0..<5 { #expect(fail(&ledger, guess("account\(number)", from: "n1")) == .zero) }
        #expect(ledger.begin(guess("other", from: "n1"), at: now + .seconds(100)) == .refuse(retryAfter: .seconds(800)))
        #expect(fail(&ledger, guess("ada", from: "n1", .network)) == .zero)
        #expect(fail(&ledger, guess("other", from: "n2")) == .zero)
        #expect(fail(&ledger, guess("other", from: "n1"), after: 901) == .zero)
    }

    @Test("success resets the network's count and leaves that of unknown networks; an undecided attempt does not count")
    func successAndWithdrawal() {
        var ledger = GuessLedger(limits())
        let own = guess("ada", from: "home", .network)
        for _ in 0..<5 { fail(&ledger, own) }
        fail(&ledger, own)
        ledger.succeeded(own)
        #expect(fail(&ledger, own) == .zero)
        for _ in 0..<5 {
            #expect(fail(&ledger, guess("eve", from: "n1")) == .zero)
            ledger.withdraw(guess("eve", from: "n1"))
        }
    }

    @Test("work for a network moves it to the lane of the busy ones, until the window ends")
    func lanes() {
        var ledger = GuessLedger(limits())
        var lanes: [HashLane] = []
        for _ in 0..<6 {
            ledger.worked(for: "n1", at: now)
            lanes.append(ledger.lane(of: "n1", at: now))
        }
        #expect(lanes == [.fresh, .light, .light, .light, .heavy, .heavy])
        #expect(ledger.lane(of: "n2", at: now) == .fresh)
        #expect(ledger.lane(of: "n1", at: now + .seconds(900)) == .fresh)
    }

    @Test("memory is bounded, whatever addresses a client invents")
    func bounded() {
        var limits = limits(free: 1)
        limits.capacity = 10
        limits.totalPlaces = 20
        var ledger = GuessLedger(limits)
        for number in 0..<1_000 {
            _ = ledger.begin(guess("a\(number % 500)", from: "n\(number)"), at: now + .milliseconds(Int64(number)))
        }
        #expect(ledger.size <= 4 * 10 + 2 * 20)
    }

    @Test("a gate waits before it checks, gives the place back, and counts nothing that was not decided")
    func gate() async throws {
        let waits = Mutex<[Duration]>([])
        let gate = GuessGate(limits(), registrationsPerDay: 0, clock: ManualClock(now)) { wait in
            waits.withLock { $0.append(wait) }
        }
        struct Broken: Error {}
        let own = guess("ada", from: "n1")
        for _ in 0..<20 {
            await #expect(throws: Broken.self) { _ = try await gate.attempt(own, network: "n1") { _ in throw Broken() } }
        }
        for _ in 0..<12 { #expect(try await !gate.attempt(own, network: "n1") { _ in false }) }
        #expect(waits.withLock { $0 }.count == 10)
        #expect(try await gate.attempt(own, network: "n1") { _ in true })
        #expect(waits.withLock { $0 }.last == .seconds(5))
    }

    @Test("the wait for guesses leaves room for the queue, so that both together stay below the longest wait")
    func gateAndQueue() async throws {
        let waits = Mutex<[Duration]>([])
        let queue = Mutex(Duration.seconds(2))
        let gate = GuessGate(
            limits(), registrationsPerDay: 0, clock: ManualClock(now), pause: { wait in waits.withLock { $0.append(wait) } },
            queueWait: { _, _ in queue.withLock { $0 } })
        let own = guess("ada", from: "n1")
        var waited: [Duration] = []
        for _ in 0..<9 {
            _ = try await gate.attempt(own, network: "n1") { claim in
                waited.append(claim.waited)
                return false
            }
        }
        #expect(waits.withLock { $0 } == [500, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000].map { .milliseconds($0) })
        #expect(waited == [.zero, .zero] + waits.withLock { $0 })
        queue.withLock { $0 = .seconds(9) }
        #expect(try await gate.attempt(own, network: "n1") { $0.waited == .zero })
    }

    @Test("registrations of a network are counted for a day; those that were not completed are not")
    func registrations() async throws {
        let clock = ManualClock(now)
        let gate = GuessGate(limits(), registrationsPerDay: 3, clock: clock) { _ in }
        struct Busy: Error {}
        for _ in 0..<5 {
            await #expect(throws: Busy.self) { try await gate.register(from: "n1") { _ in throw Busy() } }
        }
        for _ in 0..<3 { try await gate.register(from: "n1") { _ in } }
        clock.advance(by: .seconds(3_600))
        do {
            try await gate.register(from: "n1") { _ in }
            Issue.record("a fourth registration")
        } catch let error as AccountsError {
            #expect(error.code == "accounts.too_many_registrations" && error.status == 429)
            #expect(error.retryAfter == .seconds(82_800) && error.isTemporary)
        }
        try await gate.register(from: "n2") { _ in }
        clock.advance(by: .seconds(82_800))
        try await gate.register(from: "n1") { _ in }
    }
}
