import Testing

@testable import SparkStream

@Suite("The order of one connection's frames")
struct FrameOrderTests {
    private typealias Order = FrameOrder<String>

    /// The frames that may run now.
    private func due(_ order: inout Order) -> [String] {
        var names: [String] = []
        while let turn = order.next() { names.append(turn.frame) }
        return names
    }

    private func add(_ order: inout Order, _ name: String, _ kind: Order.Kind, _ subject: String?) {
        let isTaken = order.add(name, kind, about: subject.map { .one($0) } ?? .everything, bytes: 10)
        #expect(isTaken)
    }

    @Test("exclusive frames about one thing run one after the other, those about others beside them")
    func exclusive() {
        var order = Order(maximumRunning: 8)
        for name in ["a1", "a2", "b1", "a3"] { add(&order, name, .exclusive, String(name.prefix(1))) }
        #expect(due(&order) == ["a1", "b1"])
        order.ended(.one("b"))
        #expect(due(&order) == [])
        order.ended(.one("a"))
        #expect(due(&order) == ["a2"])
        order.ended(.one("a"))
        #expect(due(&order) == ["a3"])
        order.ended(.one("a"))
        #expect(order.isClear && order.count == 0 && order.bytes == 0)
    }

    @Test("an exclusive frame waits for the answers to the posted ones before it, and holds up those after it")
    func posted() {
        var order = Order(maximumRunning: 8)
        order.startPosted()
        order.startPosted()
        add(&order, "edit", .exclusive, "a")
        add(&order, "send", .posted, "a")
        add(&order, "elsewhere", .posted, "b")
        #expect(due(&order) == ["elsewhere"])
        order.answered()
        #expect(due(&order) == [])
        order.answered()
        #expect(due(&order) == ["edit"], "frames posted later need not be answered")
        order.ended(.one("a"))
        #expect(due(&order) == ["send"])
        order.answered()
        order.answered()
        #expect(order.unanswered == 0 && order.isClear)
    }

    @Test("posted frames do not wait for each other")
    func pipelined() {
        var order = Order(maximumRunning: 8)
        add(&order, "read", .exclusive, "a")
        #expect(due(&order) == ["read"])
        for name in ["s1", "s2", "s3"] { add(&order, name, .posted, "a") }
        #expect(due(&order) == [])
        order.ended(.one("a"))
        #expect(due(&order) == ["s1", "s2", "s3"])
    }

    @Test("a frame about everything waits for all before it, and all after it wait for it")
    func everything() {
        var order = Order(maximumRunning: 8)
        order.startPosted()
        add(&order, "a1", .exclusive, "a")
        add(&order, "b1", .exclusive, "b")
        add(&order, "total", .exclusive, nil)
        add(&order, "c1", .posted, "c")
        add(&order, "again", .exclusive, nil)
        order.answered()
        #expect(due(&order) == ["a1", "b1"])
        order.ended(.one("a"))
        #expect(due(&order) == [])
        order.ended(.one("b"))
        #expect(due(&order) == ["total"])
        add(&order, "d1", .posted, "d")
        #expect(due(&order) == [])
        order.ended(.everything)
        #expect(due(&order) == ["c1"])
        order.answered()
        #expect(due(&order) == ["again"])
        order.ended(.everything)
        #expect(due(&order) == ["d1"])
    }

    @Test("only so many run at once, and one that waits for room holds up no posted frame of another thing")
    func crowded() {
        var order = Order(maximumRunning: 2)
        for name in ["a", "b", "c", "d"] { add(&order, name, .exclusive, name) }
        #expect(due(&order) == ["a", "b"])
        add(&order, "send", .posted, "e")
        #expect(due(&order) == ["send"])
        order.ended(.one("b"))
        #expect(due(&order) == ["c"])
        order.ended(.one("a"))
        order.ended(.one("c"))
        #expect(due(&order) == ["d"])
    }

    @Test("waiting frames are bounded by count and by bytes")
    func bounded() {
        var order = Order(maximumRunning: 1)
        add(&order, "first", .exclusive, "a")
        #expect(due(&order) == ["first"])
        for _ in 0..<Order.maximumCount { add(&order, "x", .exclusive, "a") }
        let isTaken = order.add("y", .exclusive, about: .one("b"), bytes: 1)
        #expect(!isTaken)
        order.removeAll()
        #expect(order.count == 0)
        let isLargeTaken = order.add("large", .exclusive, about: .one("a"), bytes: Order.maximumBytes)
        let isMoreTaken = order.add("more", .exclusive, about: .one("a"), bytes: 1)
        #expect(isLargeTaken && !isMoreTaken)
        order.ended(.one("a"))
        #expect(due(&order) == ["large"])
    }

    @Test("any mixture keeps the order of each thing", arguments: 0..<50 as Range<UInt64>)
    func mixtures(_ seed: UInt64) {
        var state = seed
        func pick(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var order = FrameOrder<Int>(maximumRunning: 3)
        var (begun, running, unanswered): ([Int], [FrameOrder<Int>.Subject], Int) = ([], [], 0)
        var subjects: [FrameOrder<Int>.Subject] = []
        var kinds: [FrameOrder<Int>.Kind] = []
        func advance() {
            while let turn = order.next() {
                begun.append(turn.frame)
                if turn.kind == .posted { unanswered += 1 } else { running.append(turn.subject) }
            }
        }
        for number in 0..<200 {
            subjects.append(pick(12) == 0 ? .everything : .one(String(pick(4))))
            kinds.append(subjects[number] != .everything && pick(2) == 0 ? .posted : .exclusive)
            let isTaken = order.add(number, kinds[number], about: subjects[number], bytes: 1)
            #expect(isTaken)
            advance()
            if unanswered > 0, pick(2) == 0 {
                unanswered -= 1
                order.answered()
            }
            if !running.isEmpty, pick(2) == 0 { order.ended(running.remove(at: pick(running.count))) }
            advance()
        }
        while begun.count < 200, unanswered > 0 || !running.isEmpty {
            for _ in 0..<unanswered { order.answered() }
            unanswered = 0
            for subject in running { order.ended(subject) }
            running = []
            advance()
        }
        #expect(begun.count == 200, "seed \(seed)")
        for (place, frame) in begun.enumerated() {
            for later in begun[(place + 1)...] where later < frame {
                let isApart =
                    subjects[later] != subjects[frame] && subjects[later] != .everything && subjects[frame] != .everything
                #expect(isApart, "seed \(seed): \(later) after \(frame)")
            }
        }
    }
}
