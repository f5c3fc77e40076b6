import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Matching.
struct MatchingRoutes: Sendable {
    let service: MatchingService
    let cursors: CursorCodec

    var all: [Route] { deck + matches + blocks }

    private var deck: [Route] {
        [
            Route(
                .get, "/matches/suggestions", "The best candidates for me", rateLimit: .read, query: [.limit],
                answer: .of(SuggestionList.self), errors: [MatchingError.locationRequired]
            ) { call in
                let deck = try await service.suggestions(for: call.user, limit: call.integer("limit"))
                return Reply(json: deck.body, entityTag: deck.entityTag)
            },
            Route(
                .get, "/me/deck/why", "Which filter takes how many people out of my deck, and what loosening one would add",
                rateLimit: .write, answer: .of(DeckReasons.self),
                errors: [MatchingError.locationRequired, MatchingError.notReady]
            ) { call in
                .json(try await service.reasons(for: call.user))
            },
            Route(
                .post, "/swipes", "Like, pass, superlike or skip somebody", rateLimit: .write, body: .of(SwipeBody.self),
                answer: .of(SwipeView.self), idempotency: .honoured,
                errors: [
                    EdgeError.notFound, MatchingError.selfTarget, MatchingError.alreadyMatched, MatchingError.dailyLimit(.zero),
                ]
            ) { call in
                let body = try call.body(SwipeBody.self)
                let swipe = Swipe(user: try call.user, target: body.target, action: body.action)
                return .json(SwipeView(match: try await service.swipe(swipe)))
            },
            Route(
                .delete, "/swipes/last", "Undo my last swipe", rateLimit: .write, answer: .of(Swipe.self),
                errors: [MatchingError.nothingToUndo, MatchingError.undoMatched]
            ) { call in
                .json(try await service.undoLastSwipe(of: call.user))
            },
        ]
    }

    private var matches: [Route] {
        [
            Route(
                .get, "/matches", "My matches, newest first", rateLimit: .read, query: [.limit, .cursor],
                answer: .page(of: MatchView.self)
            ) { call in
                try await page("matching.matches", call) { user, position, limit in
                    try await service.matches(of: user, after: position, limit: limit)
                }
            },
            Route(
                .delete, "/matches/{id}", "End a match", rateLimit: .write, status: .noContent, errors: [EdgeError.notFound]
            ) { call in
                try await service.unmatch(call.identifier("id"), by: call.user)
                return .noContent
            },
            Route(
                .get, "/likes", "Who likes me and awaits my answer, newest first", rateLimit: .read, query: [.limit, .cursor],
                answer: .page(of: LikeView.self)
            ) { call in
                try await page("matching.likes", call) { user, position, limit in
                    try await service.likes(of: user, after: position, limit: limit)
                }
            },
        ]
    }

    private var blocks: [Route] {
        [
            Route(
                .get, "/blocks", "Whom I blocked, newest first", rateLimit: .read, query: [.limit, .cursor],
                answer: .page(of: Block.self)
            ) { call in
                try await page("matching.blocks", call) { user, position, limit in
                    try await service.blocks(of: user, after: position, limit: limit)
                }
            },
            Route(
                .post, "/blocks", "Block somebody; ends a match", rateLimit: .write, body: .of(BlockBody.self),
                status: .noContent, errors: [EdgeError.notFound, MatchingError.selfTarget]
            ) { call in
                let user = try call.user
                try await service.block(service.person(call.body(BlockBody.self).counterpart, for: user), by: user)
                return .noContent
            },
            Route(
                .delete, "/blocks", "Lift a block", rateLimit: .write, body: .of(BlockBody.self), status: .noContent,
                errors: [MatchingError.selfTarget]
            ) { call in
                let user = try call.user
                try await service.unblock(service.person(call.body(BlockBody.self).counterpart, for: user), by: user)
                return .noContent
            },
            Route(
                .delete, "/blocks/{id}", "Lift the block of a user", rateLimit: .write, status: .noContent,
                errors: [EdgeError.notFound, MatchingError.selfTarget]
            ) { call in
                try await service.unblock(call.identifier("id"), by: call.user)
                return .noContent
            },
            Route(
                .post, "/reports", "Report somebody to those who moderate", rateLimit: .write, body: .of(ReportBody.self),
                status: .created, answer: .of(ReportReceipt.self), idempotency: .honoured,
                errors: [EdgeError.notFound, MatchingError.selfTarget]
            ) { call in
                let body = try call.body(ReportBody.self)
                let user = try call.user
                let report = Report(
                    reporter: user, target: try await service.person(body.counterpart, for: user), category: body.category,
                    text: body.text)
                return .json(ReportReceipt(id: try await service.report(report)), .created)
            },
        ]
    }

    /// Answers a page of a list: decodes the cursor, reads the page, encodes the next cursor.
    private func page<Element: JSONWritable>(
        _ list: String, _ call: Call, _ read: (UserID, PagePosition, Int) async throws -> Page<Element>
    ) async throws -> Reply {
        let user = try call.user
        var position = PagePosition.newest
        if let cursor = call.text("cursor") {
            let numbers = try cursors.decode(cursor, count: 2, list: list, owner: user)
            position = PagePosition(time: Timestamp(milliseconds: numbers[0]), id: numbers[1])
        }
        let page = try await read(user, position, call.integer("limit"))
        let next = page.next.map { cursors.encode([$0.time.milliseconds, $0.id], list: list, owner: user) }
        return .page(page.items, nextCursor: next)
    }
}
