import Testing

@testable import SparkKit

@Suite("Which slow readers are closed when too many bytes wait")
struct AnswerLedgerTests {
    private func key(_ slot: Int) -> ConnectionKey { ConnectionKey(slot: slot, generation: UInt64(slot)) }

    /// `#expect` takes no mutating calls.
    private func set(
        _ ledger: inout AnswerLedger, _ slot: Int, _ bytes: Int, from network: String?, hasMoved: Bool = false
    ) -> [Int] {
        ledger.set(bytes, of: key(slot), from: network, hasMoved: hasMoved).map(\.slot)
    }

    @Test("below the limit nobody is closed, and bytes that were taken no longer count")
    func below() {
        var ledger = AnswerLedger(limit: 1_000)
        let first = set(&ledger, 1, 600, from: "a")
        let more = set(&ledger, 1, 900, from: "a")
        let less = set(&ledger, 1, 300, from: "a", hasMoved: true)
        let second = set(&ledger, 2, 700, from: "b")
        #expect(first + more + less + second == [])
        #expect(ledger.used == 1_000 && ledger.used(by: "a") == 300)
        let none = set(&ledger, 1, 0, from: "a")
        ledger.end(key(2))
        ledger.end(key(7))
        #expect(none == [] && ledger.used == 0)
    }

    @Test("the heaviest network loses the reader that has stood still for longest; light networks lose none")
    func heaviest() {
        var ledger = AnswerLedger(limit: 1_000)
        let quiet = set(&ledger, 9, 100, from: "light")
        for slot in 1...4 { #expect(set(&ledger, slot, 220, from: "heavy") == []) }
        let moved = set(&ledger, 1, 220, from: "heavy", hasMoved: true)
        #expect(quiet == [] && moved == [])
        let shed = set(&ledger, 9, 200, from: "light")
        #expect(shed == [2])
        #expect(ledger.used == 860 && ledger.used(by: "light") == 200)
        let next = set(&ledger, 5, 230, from: "heavy")
        #expect(next == [3])
    }

    @Test("a single reader that holds more than all may is closed itself")
    func alone() {
        var ledger = AnswerLedger(limit: 1_000)
        let shed = set(&ledger, 1, 1_001, from: nil)
        #expect(shed == [1])
        #expect(ledger.used == 0)
        var unlimited = AnswerLedger(limit: nil)
        let none = set(&unlimited, 1, .max, from: "a")
        #expect(none == [])
    }

    @Test("a reader whose connection is used by somebody else is counted for that one")
    func change() {
        var ledger = AnswerLedger(limit: 1_000)
        let first = set(&ledger, 1, 500, from: "a")
        let second = set(&ledger, 1, 600, from: "b")
        #expect(first + second == [])
        #expect(ledger.used == 600 && ledger.used(by: "a") == 0 && ledger.used(by: "b") == 600)
    }
}
