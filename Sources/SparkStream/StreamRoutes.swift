import HTTPTypes
import SparkCore
import SparkHTTP
package import SparkKit
import SparkStorage
import SparkWebSocket

/// The stream's HTTP routes: tickets, and the same events for clients without WebSockets.
package struct StreamRoutes: Sendable {
    private let gateway: StreamGateway
    private var hub: Hub { gateway.hub }
    private let pollFields: Fields<PollView>
    private static let refusals: [any ClientError] = [
        AdmissionRefused(resource: .streams, scope: .network), AdmissionRefused(resource: .streams, scope: .total),
        StreamError.draining,
    ]

    /// The routes of a gateway.
    package init(gateway: StreamGateway) {
        self.gateway = gateway
        self.pollFields = PollView.fields(frame: gateway.frames.numbered)
    }

    /// The routes, relative to `/api/v1`.
    package var all: [Route] { [socket, ticket, stream, poll] }

    private var socket: Route {
        Route(
            .get, "/ws", "The stream, as a WebSocket with the subprotocol spark.v1; see /asyncapi.json", access: .open,
            rateLimit: .probe, status: .switchingProtocols, isBatchable: false, errors: [HandshakeError.upgradeRequired]
        ) { _ in throw HandshakeError.upgradeRequired }
    }

    private var ticket: Route {
        Route(
            .post, "/ws/ticket",
            "A ticket to connect without header fields, within 30 seconds: for one WebSocket, or repeatedly for event streams and polls",
            rateLimit: .write,
            status: .created, answer: .of(TicketView.self), idempotency: .meaningless, errors: [EdgeError.overloaded]
        ) { call in
            .json(TicketView(ticket: try gateway.tickets.issue(for: call.session)), .created)
        }
    }

    private var stream: Route {
        Route(
            .get, "/stream", "My numbered events, as Server-Sent Events", access: .userOrTicket, rateLimit: .read,
            query: Self.position, answer: Self.events, answerType: "text/event-stream", idempotency: .refused, isBatchable: false,
            errors: Self.refusals
        ) { call in
            var reply = Reply(headers: [.contentType: "text/event-stream", .cacheControl: "no-store"])
            reply.headers[.accelBuffering] = "no"
            let offset = try call.headers[.lastEventID].flatMap { $0.isEmpty ? nil : $0 }.map(Self.offset) ?? Self.offset(call)
            guard !call.isHead else { return Self.headOnly(reply) }
            let lease = try await join(call)
            let feed = lease.feed
            let body = EventStreamBody(hub: hub, feed: feed, after: offset, isOtherEpoch: isOtherEpoch(call))
            reply.pieces = AsyncStream {
                await body.next(keeping: lease)
            } onCancel: {
                feed.end(.gone)
            }
            return reply
        }
    }

    /// The answer to HEAD where GET has a body whose length is not known: it names none.
    private static func headOnly(_ reply: Reply) -> Reply {
        var reply = reply
        reply.pieces = AsyncStream { nil }
        return reply
    }

    private var poll: Route {
        Route(
            .get, "/poll", "My numbered events after an offset; waits for one if there is none", access: .userOrTicket,
            rateLimit: .read,
            query: Self.position + [
                .integer("wait", 0...60, default: 25, "Seconds to wait for an event."),
                .integer("limit", 1...200, default: 100, "Maximum number of events."),
            ], answer: SchemaReference(pollFields.name, pollFields.schema), isBatchable: false,
            errors: [StreamError.tooManyConnections] + Self.refusals
        ) { call in
            let after = try Self.offset(call)
            guard !call.isHead else { return Self.headOnly(Reply(headers: [.contentType: "application/json"])) }
            let lease = try await join(call)
            let answer = try await answer(call, after: after, keeping: lease)
            var writer = JSONWriter()
            writer.object { pollFields.writeMembers(of: answer, to: &$0) }
            return Reply(json: writer.bytes)
        }
    }

    /// The feed joins the hub before this reads, so that no event is missed.
    private func answer(_ call: Call, after: Int64?, keeping lease: FeedLease) async throws -> PollView {
        let feed = lease.feed
        let bounds = try await hub.reader.bounds(of: feed.user)
        guard let after else { return PollView(epoch: hub.epoch, offset: bounds.head, frames: []) }
        var resync: ReplayStateMachine.Reason?
        if isOtherEpoch(call) { resync = .epoch } else if after > bounds.head { resync = .ahead }
        if after < bounds.floor { resync = resync ?? .expired }
        if let resync { return PollView(epoch: hub.epoch, offset: bounds.head, resync: resync, frames: []) }
        var page = try await hub.reader.page(of: feed.user, after: after, limit: call.integer("limit"))
        if page.frames.isEmpty, call.integer("wait") > 0 {
            _ = await feed.wait(atMost: .seconds(call.integer("wait")))
            try await checkMayGoOn(feed)
            page = try await hub.reader.page(of: feed.user, after: after, limit: call.integer("limit"))
        }
        return PollView(epoch: hub.epoch, offset: page.frames.last?.offset ?? after, frames: page.frames.map(\.frame))
    }

    /// After a wait: throws 401 when the session has ended meanwhile, and asks the client to wait when a newer connection
    /// replaced it.
    private func checkMayGoOn(_ feed: EventFeed) async throws {
        switch feed.ending {
        case .revoked: throw EdgeError.unauthenticated
        case .replaced: throw StreamError.tooManyConnections
        case .gone, .stopping: break
        // The wake-up may come from the very commit that ended the session, before the revocation arrives here.
        case nil:
            guard feed.isOpen(at: hub.clock.now()), try await gateway.isLive(feed.principal) else {
                throw EdgeError.unauthenticated
            }
        }
    }

    /// Joins the hub, then checks that the session is live: a revocation either finds the feed in the hub or is seen by this
    /// check.
    private func join(_ call: Call) async throws -> FeedLease {
        if hub.isDraining { throw StreamError.draining }
        let principal = try call.session
        // Check before this takes the place of another connection, and again once the hub knows the feed.
        guard try await gateway.isLive(principal) else { throw EdgeError.unauthenticated }
        let lease = FeedLease(
            EventFeed(principal), in: hub, ticket: call.ticket, presence: call.presence,
            place: try gateway.place(for: principal.user, at: call.address))
        guard try await gateway.isLive(principal) else { throw EdgeError.unauthenticated }
        if hub.isDraining { throw StreamError.draining }
        return lease
    }

    private func isOtherEpoch(_ call: Call) -> Bool { call.text("epoch").map { $0 != hub.epoch } ?? false }

    /// What an event stream is to a reader that does not know the format.
    private static let events = SchemaReference(
        "EventStream",
        .string().with(example: "id: 42\ndata: {\"type\":\"live\",\"offset\":42}\n\n")
            .described("Server-Sent Events: the frames of a WebSocket, each in one line of data; the id is the offset."))

    private static let position: [QueryParameter] = [
        .text("offset", maximum: 20, "Offset of the last event that the client has; without it, only new events."),
        .text("epoch", maximum: 64, "The epoch of that offset."),
    ]

    private static func offset(_ call: Call) throws -> Int64? { try call.text("offset").map(offset) }

    private static func offset(_ text: String) throws -> Int64 {
        guard let number = Int64(text), number >= 0 else {
            throw InvalidInput.refused("offset", "type", "A whole number from 0 is expected.")
        }
        return number
    }
}

/// The response to a ticket request.
struct TicketView: JSONObject {
    let ticket: String

    static let fields = Fields<TicketView>("Ticket", "A ticket to connect without header fields.") {
        Field("ticket", \.ticket, .string.example("nq3nXbMnTLW0bqhBT6oYV0lXkAR2Y0pkH1cLr0dQzvE"))
        Field("expires_in", { _ in StreamTickets.lifetime.roundedUpSeconds }, .integer, "Seconds in which it must be used.")
    }
}

/// The response to a poll.
struct PollView: Sendable {
    let epoch: String
    let offset: Int64
    var resync: ReplayStateMachine.Reason?
    let frames: [[UInt8]]

    /// The fields. It is no constant, because the modules add frames.
    /// - Parameter frame: The schema of any numbered frame.
    static func fields(frame: Schema) -> Fields<PollView> {
        Fields<PollView>("Poll", "The user's next events.") {
            Field("epoch", \.epoch, .string, "The name of the history of events; another one after a restore.")
            Field("offset", \.offset, .integer(0...Int.max), "Where the next poll goes on.")
            Field(optional: "resync", \.resync, isInExample: false, "Present if the client must read again what it shows.")
            Field("frames", \.frames, .list(.written(frame)), "The events as a WebSocket gets them.")
        }
    }
}
