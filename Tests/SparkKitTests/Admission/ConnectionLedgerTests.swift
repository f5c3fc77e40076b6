import SparkCore
import Testing

@testable import SparkKit

@Suite("The ledger of connections")
struct ConnectionLedgerTests {
    private func open(
        _ ledger: inout ConnectionLedger, from network: String?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> ConnectionKey {
        guard case .admitted(let key, nil) = ledger.open(from: network, at: 0) else {
            Issue.record("not let in freely", sourceLocation: sourceLocation)
            throw NotLetIn()
        }
        return key
    }

    private struct NotLetIn: Error {}

    @Test("a network at its bound loses its oldest idle connection, and is refused when none is idle")
    func network() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 100, perNetwork: 2))
        let first = try open(&ledger, from: "a")
        let second = try open(&ledger, from: "a")
        ledger.move(first, to: .receiving)
        ledger.move(first, to: .idle)
        // The first one has been busy since; the second has been idle for longer.
        guard case .admitted(let third, let shed) = ledger.open(from: "a", at: 0) else { return #expect(Bool(false)) }
        #expect(shed == second)
        #expect(!ledger.holds(second) && ledger.holds(first))
        ledger.move(first, to: .answering)
        ledger.move(third, to: .webSocket)
        same(refusal(ledger.open(from: "a", at: 0)), .network)
        #expect(ledger.used(by: "a") == 2 && ledger.used == 2)
        _ = try open(&ledger, from: "b")
    }

    private func refusal(_ verdict: ConnectionLedger.Verdict) -> AdmissionScope? {
        if case .refused(let scope) = verdict { scope } else { nil }
    }

    private func shed(_ verdict: ConnectionLedger.Verdict) -> ConnectionKey? {
        if case .admitted(_, let shed) = verdict { shed } else { nil }
    }

    @Test("without room the heaviest network gives way to a lighter one, its idle connections first, WebSockets last")
    func order() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 6))
        let heavy = try (0..<5).map { _ in try open(&ledger, from: "heavy") }
        let light = try open(&ledger, from: "light")
        ledger.move(heavy[0], to: .webSocket)
        ledger.move(heavy[1], to: .answering)
        ledger.move(heavy[2], to: .receiving)
        same(shed(ledger.open(from: "n1", at: 0)), heavy[3])
        same(shed(ledger.open(from: "n2", at: 0)), heavy[4])
        // Three are left, none idle. The light network's idle one has been there the longest, but three are more than one.
        same(shed(ledger.open(from: "n3", at: 0)), heavy[2])
        same(shed(ledger.open(from: "n4", at: 0)), light)
        #expect(ledger.used == 6)
    }

    @Test("a handshake gives way before an idle connection, at the bound of a network as well as without room")
    func handshakes() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 4, perNetwork: 3))
        let heavy = try (0..<3).map { _ in try open(&ledger, from: "heavy") }
        for key in heavy[1...] { ledger.move(key, to: .handshaking) }
        // The first one has been idle for longest.
        same(shed(ledger.open(from: "heavy", at: 0)), heavy[1])
        _ = try open(&ledger, from: "light")
        same(shed(ledger.open(from: "new", at: 0)), heavy[2])
        #expect(ledger.holds(heavy[0]))
    }

    @Test("a WebSocket of a heavy network gives way before those of a light one are touched")
    func lastOfAll() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 6))
        let heavy = try (0..<4).map { _ in try open(&ledger, from: "heavy") }
        let light = try (0..<2).map { number in try open(&ledger, from: "light\(number)") }
        for key in heavy + light { ledger.move(key, to: .webSocket) }
        same(shed(ledger.open(from: "new", at: 0)), heavy[0])
        same(shed(ledger.open(from: "newer", at: 0)), heavy[1])
        // Everybody has at most two now: nobody would be better off.
        let third = ledger.open(from: "newest", at: 0)
        for key in light { #expect(ledger.holds(key)) }
        #expect(shed(third) != nil || refusal(third) == .total)
    }

    @Test("a network with as many connections as any other is refused, but may replace its own idle connection")
    func own() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 4))
        let a = try (0..<2).map { _ in try open(&ledger, from: "a") }
        let b = try (0..<2).map { _ in try open(&ledger, from: "b") }
        for key in a + b { ledger.move(key, to: .answering) }
        same(refusal(ledger.open(from: "a", at: 0)), .total)
        ledger.move(a[1], to: .idle)
        same(shed(ledger.open(from: "a", at: 0)), a[1])
    }

    @Test("trusted proxies count, but have no bound of their own and never give way")
    func proxies() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 4, perNetwork: 1))
        let proxied = try (0..<3).map { _ in try open(&ledger, from: nil) }
        let person = try open(&ledger, from: "a")
        same(shed(ledger.open(from: nil, at: 0)), person)
        same(refusal(ledger.open(from: "b", at: 0)), .total)
        same(refusal(ledger.open(from: nil, at: 0)), .total)
        for key in proxied { ledger.close(key) }
        _ = try open(&ledger, from: "b")
    }

    @Test("a name is valid for one connection only, however often its place is reused")
    func keys() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 2))
        let old = try open(&ledger, from: "a")
        ledger.close(old)
        ledger.close(old)
        #expect(ledger.used == 0 && ledger.used(by: "a") == 0)
        let new = try open(&ledger, from: "b")
        ledger.move(old, to: .webSocket)
        ledger.close(old)
        #expect(ledger.phase(of: new) == .idle && ledger.used == 1)
    }

    @Test(
        "whatever happens, bounds hold, sums agree, and nobody is refused while another network has much more", arguments: 1...20)
    func random(seed: UInt64) {
        var numbers = SplitMix(seed)
        let (total, perNetwork) = (40, 15)
        var ledger = ConnectionLedger(AdmissionLimit(total: total, perNetwork: perNetwork))
        var alive: [ConnectionKey: String] = [:]
        for step in 0..<4_000 {
            switch numbers.next() % 4 {
            case 0, 1:
                // Some networks connect far more often than others.
                let network = "n\(min(numbers.next() % 12, numbers.next() % 12))"
                let before = Dictionary(grouping: alive.values, by: { $0 }).mapValues(\.count)
                let own = before[network] ?? 0
                switch ledger.open(from: network, at: UInt64(step) * ConnectionLedger.replacementInterval) {
                case .admitted(let key, let shed):
                    if let shed {
                        let victim = alive.removeValue(forKey: shed) ?? "nobody's"
                        #expect(victim == network || before[victim] ?? 0 > own)
                    }
                    #expect(alive[key] == nil)
                    alive[key] = network
                case .refused(.network): #expect(own == perNetwork)
                case .refused(let scope):
                    #expect(scope == .total && alive.count == total)
                    // A network may have slightly more; a replacement would only reverse that.
                    let most = before.values.max() ?? 0
                    #expect(most - own <= max(1, most / ConnectionLedger.clearMargin))
                }
            case 2:
                guard let key = alive.keys.randomElement(using: &numbers) else { continue }
                ledger.close(key)
                alive[key] = nil
            default:
                guard let key = alive.keys.randomElement(using: &numbers) else { continue }
                ledger.move(key, to: ConnectionPhase.allCases.randomElement(using: &numbers) ?? .idle)
            }
            #expect(ledger.used == alive.count && alive.count <= total)
            for (network, count) in Dictionary(grouping: alive.values, by: { $0 }).mapValues(\.count) {
                #expect(ledger.used(by: network) == count && count <= perNetwork)
            }
        }
    }

    @Test("among heavy networks of nearly the same weight nobody replaces anybody; a light one still finds room")
    func equals() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 76))
        let heavy = try (0..<40).map { _ in try open(&ledger, from: "a") }
        for key in heavy { ledger.move(key, to: .answering) }
        for _ in 0..<36 { ledger.move(try open(&ledger, from: "b"), to: .answering) }
        same(refusal(ledger.open(from: "b", at: 0)), .total)
        same(shed(ledger.open(from: "light", at: 0)), heavy[0])
    }

    @Test("one network replaces a bounded number of connections")
    func pace() throws {
        var ledger = ConnectionLedger(AdmissionLimit(total: 4, perNetwork: 2))
        for _ in 0..<2 { _ = try open(&ledger, from: "a") }
        let burst = Int(ConnectionLedger.replacementBurst)
        for _ in 0..<burst { #expect(shed(ledger.open(from: "a", at: 0)) != nil) }
        same(refusal(ledger.open(from: "a", at: 0)), .network)
        #expect(shed(ledger.open(from: "a", at: ConnectionLedger.replacementInterval)) != nil)
        same(refusal(ledger.open(from: "a", at: ConnectionLedger.replacementInterval)), .network)
        // Where there is room, nothing is replaced, and nobody waits.
        for _ in 0..<2 { _ = try open(&ledger, from: "b") }
    }

    @Test("100,000 newcomers at a full server of many networks take a moment, not a search each")
    func flood() {
        var ledger = ConnectionLedger(AdmissionLimit(total: 16_000, perNetwork: 1_000))
        var keys: [ConnectionKey] = []
        for number in 0..<16_000 {
            if case .admitted(let key, _) = ledger.open(from: "n\(number % 8_000)", at: 0) { keys.append(key) }
        }
        for (number, key) in keys.enumerated() where number % 3 != 0 { ledger.move(key, to: .receiving) }
        let start = ContinuousClock.now
        for number in 0..<100_000 { _ = ledger.open(from: "m\(number)", at: 0) }
        #expect(start.duration(to: .now) < .seconds(300))
        #expect(ledger.used == 16_000)
    }
}

/// Small and the same everywhere.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
