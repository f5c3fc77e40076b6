import SparkCore
import SparkStorage
import Testing

@testable import SparkStream

@Suite("What a connection is sent while it catches up")
struct ReplayStateMachineTests {
    @Test("a client without an offset gets the present and nothing else")
    func present() {
        var replay = ReplayStateMachine()
        let isFirst = replay.hello(after: nil)
        #expect(isFirst)
        #expect(replay.opened(UserEventBounds(floor: 3, head: 9), isOtherEpoch: false) == [.welcome(head: 9), .live(offset: 9)])
        let next = replay.committed(10)
        #expect(next.isSent && next.actions.isEmpty)
    }

    @Test("a second hello is refused")
    func twice() {
        var replay = ReplayStateMachine()
        let isFirst = replay.hello(after: 1)
        #expect(isFirst)
        let isSecond = replay.hello(after: 1)
        #expect(!isSecond)
    }

    @Test(
        "events that cannot be sent completely are not sent at all",
        arguments: [
            (after: Int64(2), isOtherEpoch: false, reason: ReplayStateMachine.Reason.expired),
            (after: 12, isOtherEpoch: false, reason: .ahead), (after: 7, isOtherEpoch: true, reason: .epoch),
        ])
    func resync(after: Int64, isOtherEpoch: Bool, reason: ReplayStateMachine.Reason) {
        var replay = ReplayStateMachine()
        _ = replay.hello(after: after)
        #expect(
            replay.opened(UserEventBounds(floor: 3, head: 9), isOtherEpoch: isOtherEpoch)
                == [.welcome(head: 9), .resync(reason), .live(offset: 9)])
    }

    @Test("a client that has everything up to the floor gets the rest")
    func floor() {
        var replay = ReplayStateMachine()
        _ = replay.hello(after: 3)
        #expect(replay.opened(UserEventBounds(floor: 3, head: 9), isOtherEpoch: false) == [.welcome(head: 9), .read(after: 3)])
    }

    @Test("events that retention removed in the meantime lead to a resync, not to a hole")
    func takenMeanwhile() {
        var replay = ReplayStateMachine()
        _ = replay.hello(after: 3)
        _ = replay.opened(UserEventBounds(floor: 3, head: 9), isOtherEpoch: false)
        let page = replay.read(first: 6, last: 9)
        #expect(!page.isSent)
        #expect(page.actions == [.resync(.expired), .live(offset: 9)])
    }

    @Test("a hole in the live events is filled from the store")
    func hole() {
        var replay = ReplayStateMachine()
        _ = replay.hello(after: nil)
        _ = replay.opened(UserEventBounds(floor: 0, head: 5), isOtherEpoch: false)
        let jump = replay.committed(7)
        #expect(!jump.isSent && jump.actions == [.read(after: 5)])
        let page = replay.read(first: 6, last: 7)
        #expect(page.isSent && page.actions.isEmpty)
        #expect(replay.phase == .live(last: 7))
    }

    /// A store whose user gets events at any moment, and a connection whose reads and live events come in any order the queues allow:
    /// the client must see each offset after its own once, in order, and end with all of them.
    @Test("each event comes once and in order, whatever is committed while the past is read", arguments: 0..<300)
    func anyOrder(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var head = Int64.random(in: 0...20, using: &random)
        let start = Int64.random(in: 0...head, using: &random)
        var replay = ReplayStateMachine()
        var seen = start
        var toDo: [ReplayStateMachine.Action] = []
        var live: [Int64] = []
        var hasOpened = false
        _ = replay.hello(after: start)

        func commit() {
            head += 1
            // A connection is known to the hub from its hello on; some live events are dropped when a queue is full.
            live.append(head)
        }
        func perform(_ actions: [ReplayStateMachine.Action]) { toDo += actions }

        for step in 0..<400 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where step < 300: commit()
            case 1 where !live.isEmpty:
                let offset = live.removeFirst()
                if Int.random(in: 0..<20, using: &random) == 0 {
                    perform(replay.lost())
                    continue
                }
                let (isSent, actions) = replay.committed(offset)
                if isSent {
                    #expect(offset == seen + 1)
                    seen = offset
                }
                perform(actions)
            default:
                if !hasOpened {
                    hasOpened = true
                    perform(replay.opened(UserEventBounds(floor: 0, head: head), isOtherEpoch: false))
                    continue
                }
                guard !toDo.isEmpty else { continue }
                guard case .read(let after) = toDo.removeFirst() else { continue }
                let last = min(head, after + Int64.random(in: 1...5, using: &random))
                let (isSent, actions) = replay.read(first: last > after ? after + 1 : nil, last: last)
                if isSent {
                    #expect(after == seen)
                    seen = last
                }
                perform(actions)
            }
        }
        if !hasOpened { perform(replay.opened(UserEventBounds(floor: 0, head: head), isOtherEpoch: false)) }
        perform(replay.lost())
        while !toDo.isEmpty || !live.isEmpty {
            if !toDo.isEmpty {
                guard case .read(let after) = toDo.removeFirst() else { continue }
                let (isSent, actions) = replay.read(first: head > after ? after + 1 : nil, last: head)
                if isSent {
                    #expect(after == seen)
                    seen = head
                }
                perform(actions)
            } else {
                let offset = live.removeFirst()
                let (isSent, actions) = replay.committed(offset)
                if isSent {
                    #expect(offset == seen + 1)
                    seen = offset
                }
                perform(actions)
            }
        }
        #expect(seen == head, "seed \(seed)")
    }
}
