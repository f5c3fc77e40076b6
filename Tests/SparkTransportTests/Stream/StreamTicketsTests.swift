import SparkCore
import SparkKit
import Testing

@testable import SparkTransport

@Suite("Tickets")
struct StreamTicketsTests {
    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))

    private func principal(_ user: Int64, lasting: Duration = .seconds(900)) -> Principal {
        Principal(user: UserID(rawValue: user), session: SessionID(rawValue: 7), expiresAt: clock.now() + lasting)
    }

    @Test("a ticket serves once")
    func once() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        #expect(try tickets.redeem(ticket).user == UserID(rawValue: 1))
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket) }
    }

    @Test("a ticket of half a minute ago is refused, and so is one that nobody issued")
    func old() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        clock.advance(by: .seconds(30))
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket) }
        #expect(throws: EdgeError.self) { try tickets.redeem("abc") }
    }

    @Test("a ticket does not outlive the token that asked for it")
    func token() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1, lasting: .seconds(5)))
        clock.advance(by: .seconds(6))
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket) }
    }

    @Test("old tickets make room")
    func bounded() throws {
        let tickets = StreamTickets(clock: clock)
        for user in 1...100_000 { _ = try tickets.issue(for: principal(Int64(user))) }
        #expect(throws: EdgeError.self) { try tickets.issue(for: principal(1)) }
        clock.advance(by: .seconds(31))
        #expect(throws: Never.self) { try tickets.issue(for: principal(1)) }
    }
}
