import Testing

@testable import SparkKit

@Suite("The ledger of bodies")
struct BodyLedgerTests {
    /// Names of connections, as the ledger of connections would give them.
    private let keys: [ConnectionKey] = {
        var ledger = ConnectionLedger(AdmissionLimit())
        return (0..<200).compactMap { number in
            if case .admitted(let key, _) = ledger.open(from: "n\(number)", at: 0) { key } else { nil }
        }
    }()

    @Test("bytes count from their arrival to the answer")
    func counting() {
        var ledger = BodyLedger(AdmissionLimit(total: 100, perNetwork: 60))
        same(ledger.add(40, to: keys[0], from: "a"), .admitted(shed: []))
        same(ledger.add(20, to: keys[0], from: "a"), .admitted(shed: []))
        same(ledger.add(1, to: keys[1], from: "a"), .refused(.network))
        #expect(ledger.used == 60 && ledger.used(by: "a") == 60)
        ledger.end(keys[0])
        ledger.end(keys[0])
        #expect(ledger.used == 0 && ledger.used(by: "a") == 0)
        same(ledger.add(60, to: keys[1], from: "a"), .admitted(shed: []))
    }

    @Test("without room the network with the most bytes loses its oldest bodies to one with few")
    func shedding() {
        var ledger = BodyLedger(AdmissionLimit(total: 1_000, perNetwork: 900))
        for index in 0..<9 { same(ledger.add(100, to: keys[index], from: "heavy"), .admitted(shed: [])) }
        same(ledger.add(100, to: keys[20], from: "light"), .admitted(shed: []))
        same(ledger.add(150, to: keys[21], from: "new"), .admitted(shed: [keys[0], keys[1]]))
        #expect(ledger.used == 950 && ledger.used(by: "heavy") == 700)
        // The heavy network gets nothing more at the cost of others.
        same(ledger.add(100, to: keys[9], from: "heavy"), .refused(.total))
        same(ledger.add(901, to: keys[22], from: "newer"), .refused(.network))
    }

    @Test("bodies of many small networks are not sacrificed to another small one")
    func fair() {
        var ledger = BodyLedger(AdmissionLimit(total: 1_000))
        for index in 0..<10 { same(ledger.add(100, to: keys[index], from: "n\(index)"), .admitted(shed: [])) }
        same(ledger.add(100, to: keys[10], from: "n10"), .refused(.total))
        same(ledger.add(10, to: keys[10], from: "n10"), .admitted(shed: [keys[0]]))
    }

    @Test("whatever happens, bounds hold and sums agree", arguments: 1...20)
    func random(seed: UInt64) {
        var numbers = SplitMix(seed)
        var ledger = BodyLedger(AdmissionLimit(total: 5_000, perNetwork: 2_000))
        var alive: [ConnectionKey: (network: String, bytes: Int)] = [:]
        for _ in 0..<4_000 {
            let key = keys[Int(numbers.next() % UInt64(keys.count))]
            if numbers.next() % 5 == 0 {
                ledger.end(key)
                alive[key] = nil
            } else {
                let network = alive[key]?.network ?? "n\(numbers.next() % 9)"
                let bytes = Int(numbers.next() % 700)
                let shed: [ConnectionKey]
                switch ledger.add(bytes, to: key, from: network) {
                case .admitted(let gone):
                    shed = gone
                    alive[key, default: (network, 0)].bytes += bytes
                case .refused(_, let gone): shed = gone
                }
                for key in shed { same(alive.removeValue(forKey: key) == nil, false) }
            }
            #expect(ledger.used == alive.values.reduce(0) { $0 + $1.bytes } && ledger.used <= 5_000)
            for network in Set(alive.values.map(\.network)) {
                let bytes = alive.values.filter { $0.network == network }.reduce(0) { $0 + $1.bytes }
                #expect(ledger.used(by: network) == bytes && bytes <= 2_000)
            }
        }
    }
}
