import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@Suite("Faults on request")
struct FaultBoardTests {
    private func fault(_ name: FaultName, times: Int = 1, _ change: (inout FaultMatch) -> Void = { _ in }) -> FaultBoard.Fault {
        var match = FaultMatch()
        change(&match)
        return FaultBoard.Fault(name, times: times, match: match)
    }

    @Test("occur as often as was asked for, and each use is noted")
    func counted() {
        let uses = Mutex<[Int]>([])
        let board = FaultBoard { fault in uses.withLock { $0.append(fault.used) } }
        #expect(board.use(.pushFail) == nil)
        #expect(board.add(fault(.pushFail, times: 2)) && board.add(fault(.diskFull)))
        #expect(board.use(.pushFail) != nil)
        #expect(board.all.map(\.used) == [1, 0])
        #expect(board.use(.pushFail) != nil)
        #expect(board.use(.pushFail) == nil && board.all.map(\.name) == [.diskFull])
        #expect(uses.withLock { $0 } == [1, 2])
        board.clear()
        #expect(board.use(.diskFull) == nil && board.all.isEmpty)
    }

    @Test("occur only on the occasions that match, the oldest fault first")
    func matching() {
        let (ada, ben) = (UserID(rawValue: 1), UserID(rawValue: 2))
        let board = FaultBoard()
        #expect(board.add(fault(.streamDrop) { $0.user = ada }))
        #expect(board.use(.streamDrop) { $0.user == ben } == nil)
        #expect(board.use(.streamDrop) { $0.user == ada }?.user == ada)
        for seconds in 1...2 { #expect(board.add(fault(.writerSlow) { $0.delay = .seconds(seconds) })) }
        #expect(board.use(.writerSlow)?.delay == .seconds(1) && board.use(.writerSlow)?.delay == .seconds(2))
    }

    @Test("delay a route by its template, its path, its method, or any route")
    func delays() {
        let board = FaultBoard()
        func delay(_ method: String, _ path: String) -> Duration? { board.delay(of: method, "/api/v1/users/{id}", at: path) }
        for route in ["/api/v1/users/{id}", "/api/v1/users/usr_1", nil] {
            #expect(board.add(fault(.httpDelay) { ($0.route, $0.method, $0.delay) = (route, "GET", .milliseconds(5)) }))
            #expect(delay("POST", "/api/v1/users/usr_1") == nil)
            #expect(delay("GET", "/api/v1/users/usr_1") == .milliseconds(5))
        }
        #expect(board.add(fault(.httpDelay) { ($0.route, $0.delay) = ("/api/v1/users/usr_2", .milliseconds(5)) }))
        #expect(delay("GET", "/api/v1/users/usr_1") == nil)
    }

    @Test("of writes are not used up by what the server writes by itself")
    func background() {
        let board = FaultBoard()
        #expect(board.add(fault(.diskFull)) && board.add(fault(.writerSlow) { $0.delay = .seconds(1) }))
        WriteOrigin.$isBackground.withValue(true) {
            #expect(!board.ofNextWrite().findsFullDisk)
            #expect(board.delay(of: "GET", "/", at: "/") == nil)
        }
        let met = board.ofNextWrite()
        #expect(met.findsFullDisk && met.delay == .seconds(1))
        #expect(!board.ofNextWrite().findsFullDisk)
    }

    @Test("are limited in number")
    func capacity() {
        let board = FaultBoard()
        for _ in 0..<FaultBoard.capacity { #expect(board.add(fault(.pushFail))) }
        #expect(!board.add(fault(.pushFail)))
    }
}
