import SparkCore
import Testing

@testable import SparkAccounts

/// Two workers and a queue on a virtual clock, beside a flood.
@Suite("A flood of password hashes")
struct HashFloodTests {
    private struct Attempt: Equatable {
        let name: String
        let askedAt: Duration
    }

    private enum End: Equatable {
        case began(after: Duration)
        case refused(after: Duration)

        var time: Duration {
            switch self {
            case .began(let time), .refused(let time): time
            }
        }

        var hasBegun: Bool { if case .began = self { true } else { false } }
    }

    /// Derivations take 700 ms, as on a small machine under load.
    private struct Scene {
        static let cost = Duration.milliseconds(700)
        static let longest = PasswordHasher.longestWait
        var queue = FairQueue<Attempt>(.init(), cost: cost)
        var now = Duration.zero
        var busyUntil: [Duration] = []
        var ends: [String: [End]] = [:]

        mutating func ask(_ name: String, from network: String, _ lane: HashLane, waited: Duration = .zero) {
            let attempt = Attempt(name: name, askedAt: now - waited)
            let outcome = queue.push(attempt, network: network, lane: lane, deadline: now + Self.longest - waited, at: now)
            switch outcome {
            case .waits: break
            case .displaced(let other): refuse(other)
            case .networkIsFull, .isFull, .tooLate: refuse(attempt)
            }
            work()
        }

        private mutating func refuse(_ attempt: Attempt) {
            ends[attempt.name, default: []].append(.refused(after: now - attempt.askedAt))
        }

        private mutating func work() {
            while busyUntil.count < 2, let next = queue.pop() {
                ends[next.name, default: []].append(.began(after: now - next.askedAt))
                busyUntil.append(now + Self.cost)
            }
            for overdue in queue.expire(at: now) { refuse(overdue) }
        }

        mutating func advance(to instant: Duration) {
            while let next = busyUntil.min(), next <= instant {
                now = max(now, next)
                busyUntil.removeAll { $0 <= now }
                queue.worked(for: Self.cost)
                work()
            }
            now = instant
        }
    }

    /// The lane of a network's attempt: the ledger counts what it asked for before.
    private func lane(_ round: Int) -> HashLane { round == 0 ? .fresh : round < 4 ? .light : .heavy }

    /// 35 networks keep this many attempts each waiting, for a minute.
    private func flood(atOnce: Int, _ honest: (inout Scene, Int) -> Void) -> Scene {
        var scene = Scene()
        for tick in 0..<600 {
            scene.advance(to: .milliseconds(Int64(tick) * 100))
            for network in 0..<35 where tick % 5 == network % 5 {
                for _ in 0..<atOnce { scene.ask("flood", from: "f\(network)", lane(tick / 5)) }
            }
            honest(&scene, tick)
        }
        scene.advance(to: .seconds(120))
        return scene
    }

    @Test("a person from a new network is served within seconds at any time", arguments: [1, 4, 8])
    func newNetwork(atOnce: Int) throws {
        let scene = flood(atOnce: atOnce) { scene, tick in
            if tick >= 10, tick % 7 == 0 { scene.ask("owner", from: "o\(tick)", .fresh) }
        }
        let ends = try #require(scene.ends["owner"])
        #expect(ends.count == 84)
        #expect(ends.filter { !$0.hasBegun }.count == 0)
        #expect(try #require(ends.map(\.time).max()) <= .milliseconds(2_100), "\(ends.map(\.time).max() ?? .zero)")
    }

    @Test("a known device is next, and one that had to wait for other people's guesses is still served")
    func known() throws {
        let scene = flood(atOnce: 4) { scene, tick in
            if tick % 11 == 3 { scene.ask("known", from: "k\(tick)", .known) }
            if tick % 11 == 5 { scene.ask("guessed", from: "g\(tick)", .fresh, waited: Scene.longest - Scene.cost * 2) }
        }
        for (name, longest) in [("known", Duration.milliseconds(700)), ("guessed", .seconds(5))] {
            let ends = try #require(scene.ends[name])
            #expect(ends.filter { !$0.hasBegun }.count == 0 && ends.count > 50)
            #expect(try #require(ends.map(\.time).max()) <= longest, "\(name): \(ends.map(\.time).max() ?? .zero)")
        }
    }

    @Test("nobody waits longer than five seconds: a request that would is refused at once, with the time to retry")
    func bounded() throws {
        let scene = flood(atOnce: 8) { _, _ in }
        let ends = try #require(scene.ends["flood"])
        #expect(ends.map(\.time).max() ?? .zero <= Scene.longest + Scene.cost)
        #expect(ends.filter { $0.hasBegun && $0.time > Scene.longest + Scene.cost }.count == 0)
        // The workers stay busy meanwhile.
        #expect(ends.filter { $0.hasBegun }.count > 150)
        var queue = FairQueue<Int>(.init(), cost: .seconds(1))
        var last: FairQueue<Int>.Outcome = .waits
        for number in 0..<40 { last = queue.push(number, network: "n\(number)", lane: .fresh, deadline: .seconds(5), at: .zero) }
        guard case .tooLate(let wait) = last else {
            Issue.record("forty seconds of work for a wait of five")
            return
        }
        #expect((.seconds(1)...(.seconds(5))).contains(wait))
        #expect((8...14).contains(queue.count), "\(queue.count)")
    }

    @Test("overdue requests are dropped, the longest waiting first, and the rest keep their turn")
    func overdue() {
        var queue = FairQueue<String>()
        for number in 1...3 {
            _ = queue.push("a\(number)", network: "a", lane: .heavy, deadline: .seconds(Int64(number)), at: .zero)
        }
        _ = queue.push("b", network: "b", lane: .fresh, deadline: .seconds(9), at: .zero)
        #expect(queue.expire(at: .seconds(2)) == ["a1"])
        #expect(queue.count == 3)
        #expect(queue.expire(at: .milliseconds(3_001)).sorted() == ["a2", "a3"])
        #expect(queue.pop() == "b" && queue.pop() == nil && queue.count == 0)
    }

    @Test("a network with a second attempt is no longer fresh, not even for its first attempt")
    func demotion() {
        var queue = FairQueue<String>()
        _ = queue.push("a1", network: "a", lane: .fresh)
        _ = queue.push("a2", network: "a", lane: .light)
        _ = queue.push("a3", network: "a", lane: .heavy)
        _ = queue.push("b", network: "b", lane: .fresh)
        var order: [String] = []
        while let next = queue.pop() { order.append(next) }
        #expect(order == ["b", "a1", "a2", "a3"])
    }
}
