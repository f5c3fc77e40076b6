import NIOCore
import SparkKit
import Testing

@testable import SparkStream

@Suite("The backlog of a slow reader")
struct SendBacklogTests {
    /// The macro cannot see through a mutating call.
    private func take(_ backlog: inout SendBacklog) -> ByteBuffer? { backlog.popFirst() }

    private func add(_ text: ByteBuffer, isNumbered: Bool, to backlog: inout SendBacklog) -> Bool {
        backlog.append(text, isNumbered: isNumbered)
    }

    @Test("frames leave in the order in which they arrived")
    func order() {
        var backlog = SendBacklog()
        for number in 0..<100 {
            #expect(add(ByteBuffer(string: "\(number)"), isNumbered: number.isMultiple(of: 3), to: &backlog))
        }
        for number in 0..<100 { #expect(take(&backlog) == ByteBuffer(string: "\(number)")) }
        #expect(backlog.isEmpty && backlog.bytes == 0)
    }

    @Test("when it is full, unnumbered frames are dropped before numbered ones, and numbered ones keep their order")
    func unnumberedFirst() {
        var backlog = SendBacklog()
        for number in 0..<SendBacklog.maximumCount {
            #expect(add(ByteBuffer(string: "\(number)"), isNumbered: number.isMultiple(of: 2), to: &backlog))
        }
        #expect(add(ByteBuffer(string: "signal"), isNumbered: false, to: &backlog), "dropped silently")
        #expect(backlog.count == SendBacklog.maximumCount)
        #expect(add(ByteBuffer(string: "event"), isNumbered: true, to: &backlog))
        #expect(backlog.count == SendBacklog.maximumCount / 2 + 1)
        #expect(backlog.dropped == SendBacklog.maximumCount / 2 + 1)
        for number in stride(from: 0, to: SendBacklog.maximumCount, by: 2) {
            #expect(take(&backlog) == ByteBuffer(string: "\(number)"))
        }
        #expect(take(&backlog) == ByteBuffer(string: "event"))
    }

    @Test("numbered frames past the bound of bytes or of count are refused")
    func bounds() {
        var byCount = SendBacklog()
        for _ in 0..<SendBacklog.maximumCount { #expect(add(ByteBuffer(string: "x"), isNumbered: true, to: &byCount)) }
        #expect(!add(ByteBuffer(string: "x"), isNumbered: true, to: &byCount))
        var byBytes = SendBacklog()
        let large = ByteBuffer(repeating: 0x20, count: SendBacklog.maximumBytes / 4)
        for _ in 0..<4 { #expect(add(large, isNumbered: true, to: &byBytes)) }
        #expect(!add(ByteBuffer(string: "x"), isNumbered: true, to: &byBytes))
        #expect(byBytes.bytes <= SendBacklog.maximumBytes)
    }
}

@Suite("The rate limit of a connection")
struct FrameBudgetTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private let rates = FrameBudget.Rates(messagesPerSecond: 5, framesPerSecond: 50)

    @Test("four seconds' worth at once, then as many as the rate says")
    func messages() {
        var budget = FrameBudget(rates: rates, at: start)
        for _ in 0..<20 { #expect(budget.admit(.message, at: start) == .admitted) }
        #expect(budget.admit(.message, at: start) == .refused(retryAfter: 1))
        for _ in 0..<5 { #expect(budget.admit(.message, at: start + .seconds(1)) == .admitted) }
        #expect(budget.admit(.message, at: start + .seconds(1)) == .refused(retryAfter: 1))
    }

    @Test("kinds have separate limits")
    func kinds() {
        var budget = FrameBudget(rates: rates, at: start)
        for _ in 0..<20 { _ = budget.admit(.message, at: start) }
        #expect(budget.admit(.query, at: start) == .admitted)
        #expect(budget.admit(.signal, at: start) == .admitted)
    }

    @Test("long frames count for more")
    func long() {
        var budget = FrameBudget(rates: rates, at: start)
        var admitted = 0
        while budget.admitAny(at: start, bytes: 65_536) { admitted += 1 }
        #expect(admitted == 6, "200 tokens at 33 each")
    }

    @Test("a flood of any kind is seen")
    func flood() {
        var budget = FrameBudget(rates: rates, at: start)
        for _ in 0..<200 { #expect(budget.admitAny(at: start) == true) }
        #expect(budget.admitAny(at: start) == false)
    }
}
