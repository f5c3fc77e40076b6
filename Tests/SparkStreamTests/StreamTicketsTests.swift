import SparkCore
import SparkKit
import Testing

@testable import SparkStream

@Suite("Tickets")
struct StreamTicketsTests {
    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))

    private func principal(_ user: Int64, lasting: Duration = .seconds(900)) -> Principal {
        Principal(user: UserID(rawValue: user), session: SessionID(rawValue: 7), expiresAt: clock.now() + lasting)
    }

    @Test("a ticket opens one WebSocket")
    func once() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        #expect(try tickets.redeem(ticket, for: .socket).user == UserID(rawValue: 1))
        for use in [StreamTickets.Use.socket, .events] {
            #expect(throws: EdgeError.self) { try tickets.redeem(ticket, for: use) }
        }
        #expect(tickets.count == 0)
    }

    @Test("a ticket opens event streams until ten minutes pass without a connection")
    func again() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        for _ in 0..<5 {
            #expect(try tickets.redeem(ticket, for: .events).user == UserID(rawValue: 1))
            clock.advance(by: .seconds(599))
        }
        _ = try tickets.redeem(ticket, for: .events)
        tickets.connected(ticket)
        clock.advance(by: .hours(20))
        #expect(throws: Never.self, "in use for hours") { try tickets.redeem(ticket, for: .events) }
        tickets.disconnected(ticket)
        clock.advance(by: .seconds(599))
        #expect(throws: Never.self) { try tickets.redeem(ticket, for: .events) }
        clock.advance(by: .seconds(600))
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket, for: .events) }
    }

    @Test("a ticket that was used for events opens no WebSocket")
    func bound() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        _ = try tickets.redeem(ticket, for: .events)
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket, for: .socket) }
        #expect(throws: Never.self) { try tickets.redeem(ticket, for: .events) }
    }

    @Test("a probe does not use a ticket")
    func probe() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        _ = try tickets.redeem(ticket, for: .events, isProbe: true)
        #expect(throws: Never.self) { try tickets.redeem(ticket, for: .socket) }
    }

    @Test("a ticket of half a minute ago is refused, and so is one that nobody issued", arguments: [true, false])
    func old(_ isForSocket: Bool) throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1))
        clock.advance(by: .seconds(30))
        let use: StreamTickets.Use = isForSocket ? .socket : .events
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket, for: use) }
        #expect(throws: EdgeError.self) { try tickets.redeem("abc", for: use) }
    }

    @Test("an unused ticket does not outlive the token that asked for it")
    func token() throws {
        let tickets = StreamTickets(clock: clock)
        let ticket = try tickets.issue(for: principal(1, lasting: .seconds(5)))
        clock.advance(by: .seconds(6))
        #expect(throws: EdgeError.self) { try tickets.redeem(ticket, for: .events) }
    }

    @Test("when one person has too many tickets, the oldest that is not in use gives way")
    func perPerson() throws {
        let tickets = StreamTickets(clock: clock)
        let (first, second) = (try tickets.issue(for: principal(1)), try tickets.issue(for: principal(1)))
        _ = try tickets.redeem(first, for: .events)
        tickets.connected(first)
        for _ in 2..<StreamTickets.perPerson { _ = try tickets.issue(for: principal(1)) }
        let last = try tickets.issue(for: principal(1))
        #expect(tickets.count == StreamTickets.perPerson)
        #expect(throws: EdgeError.self) { try tickets.redeem(second, for: .socket) }
        #expect(throws: Never.self) { try tickets.redeem(first, for: .events) }
        #expect(throws: Never.self) { try tickets.redeem(last, for: .socket) }
    }

    @Test("the tickets of a session end with it, and those of its user's other sessions do not")
    func revoked() throws {
        let tickets = StreamTickets(clock: clock)
        let ended = try tickets.issue(for: principal(1))
        let other = try tickets.issue(
            for: Principal(user: UserID(rawValue: 1), session: SessionID(rawValue: 8), expiresAt: clock.now() + .hours(1)))
        tickets.revoke(SessionID(rawValue: 7), of: UserID(rawValue: 1))
        #expect(throws: EdgeError.self) { try tickets.redeem(ended, for: .socket) }
        #expect(throws: Never.self) { try tickets.redeem(other, for: .events) }
        tickets.revoke(nil, of: UserID(rawValue: 1))
        #expect(tickets.count == 0)
    }

    @Test("a ticket from the future lasts no longer than any other once the clock is right")
    func clockPutBack() throws {
        let tickets = StreamTickets(clock: clock)
        clock.advance(by: .days(90))
        let (unused, used) = (try tickets.issue(for: principal(1)), try tickets.issue(for: principal(1)))
        _ = try tickets.redeem(used, for: .events)
        clock.advance(by: .days(-90))
        tickets.sweep()
        #expect(tickets.count == 2)
        clock.advance(by: .seconds(31))
        #expect(throws: EdgeError.self) { try tickets.redeem(unused, for: .socket) }
        clock.advance(by: .minutes(10))
        #expect(throws: EdgeError.self) { try tickets.redeem(used, for: .events) }
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
