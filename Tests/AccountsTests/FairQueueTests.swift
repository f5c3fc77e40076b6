import Testing

@testable import SparkAccounts

@Suite("The queue for password hashes")
struct FairQueueTests {
    private typealias Queue = FairQueue<String>

    private func waits(_ outcome: Queue.Outcome) -> Bool {
        if case .waits = outcome { true } else { false }
    }

    private func drained(_ queue: inout Queue) -> [String] {
        var all: [String] = []
        while let next = queue.pop() { all.append(next) }
        return all
    }

    @Test("networks take turns, even when one came first with many requests")
    func takesTurns() {
        var queue = Queue()
        for number in 1...4 { #expect(waits(queue.push("a\(number)", network: "a", lane: .light))) }
        for number in 1...2 { #expect(waits(queue.push("b\(number)", network: "b", lane: .light))) }
        #expect(waits(queue.push("c1", network: "c", lane: .light)))
        #expect(drained(&queue) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"])
        #expect(queue.count == 0 && queue.pop() == nil)
    }

    @Test("a known network goes before a hundred of strangers, and the busy ones are not starved")
    func lanes() throws {
        var queue = Queue(.init(perNetwork: 8, total: 1_000))
        for number in 0..<100 { _ = queue.push("heavy", network: "h\(number)", lane: .heavy) }
        for number in 0..<100 { _ = queue.push("light", network: "l\(number)", lane: .light) }
        for number in 0..<4 { _ = queue.push("known", network: "k\(number)", lane: .known) }
        let order = drained(&queue)
        #expect(order.count == 204)
        let last = try #require(order.lastIndex(of: "known"))
        #expect(last < 8)
        #expect(order.firstIndex(of: "heavy").map { $0 < 8 } == true)
        #expect(order.prefix(80).filter { $0 == "light" }.count > 50)
    }

    @Test("a network has eight places, in each lane")
    func perNetwork() {
        var queue = Queue()
        for _ in 0..<8 { #expect(waits(queue.push("x", network: "a", lane: .heavy))) }
        guard case .networkIsFull = queue.push("x", network: "a", lane: .heavy) else {
            Issue.record("a ninth place")
            return
        }
        #expect(waits(queue.push("x", network: "a", lane: .known)))
    }

    @Test(
        "a full queue makes room at the cost of the network with the most places; no network gives way to one that would have as many"
    )
    func displaces() {
        var queue = Queue(.init(perNetwork: 8, total: 6))
        for number in 1...4 { _ = queue.push("a\(number)", network: "a", lane: .light) }
        for number in 1...2 { _ = queue.push("b\(number)", network: "b", lane: .light) }
        guard case .displaced("a4") = queue.push("c1", network: "c", lane: .light) else {
            Issue.record("the newest request of the network with the most places did not give way")
            return
        }
        guard case .displaced("a3") = queue.push("d1", network: "d", lane: .light) else {
            Issue.record("the newest request of the network with the most places did not give way again")
            return
        }
        guard case .displaced = queue.push("e1", network: "e", lane: .light),
            case .displaced = queue.push("f1", network: "f", lane: .light),
            case .isFull = queue.push("g1", network: "g", lane: .light)
        else {
            Issue.record("six networks with one place each must keep them")
            return
        }
        #expect(Set(drained(&queue)) == ["a1", "b1", "c1", "d1", "e1", "f1"])
    }

    @Test("a network with few requests takes the place of one with many, never the other way round")
    func displacesByLane() {
        var queue = Queue(.init(perNetwork: 8, total: 2))
        _ = queue.push("h", network: "h", lane: .heavy)
        _ = queue.push("l", network: "l", lane: .light)
        guard case .isFull = queue.push("x", network: "x", lane: .heavy),
            case .displaced("h") = queue.push("m", network: "m", lane: .light),
            case .isFull = queue.push("n", network: "n", lane: .light)
        else {
            Issue.record("lanes are not kept")
            return
        }
        #expect(waits(queue.push("k", network: "k", lane: .known)))
        #expect(drained(&queue) == ["k", "l", "m"])
    }

    @Test("forty flooding networks do not keep one more from its turn")
    func flood() throws {
        var queue = Queue()
        for round in 0..<20 {
            for network in 0..<40 { _ = queue.push("flood", network: "f\(network)", lane: round < 3 ? .light : .heavy) }
        }
        guard case .displaced = queue.push("owner", network: "o", lane: .fresh) else {
            Issue.record("no place among those of the flood")
            return
        }
        #expect(queue.count == 64)
        #expect(try #require(drained(&queue).firstIndex(of: "owner")) < 2)
        var known = Queue()
        for network in 0..<200 { _ = known.push("flood", network: "f\(network)", lane: .light) }
        #expect(waits(known.push("owner", network: "o", lane: .known)))
        #expect(drained(&known).first == "owner")
    }
}
