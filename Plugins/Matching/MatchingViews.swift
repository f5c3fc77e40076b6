import SparkCore
import SparkDecks

// The JSON answers of Matching.

/// A candidate's card with the score.
struct SuggestionView: JSONWritable, SchemaDescribed, Sendable {
    let card: ProfileCard
    /// The score in millionths. The answer shows three decimals.
    let score: Int

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            card.writeMembers(to: &writer)
            writer.field("score", Double((score + 500) / 1_000) / 1_000)
        }
    }

    static let schemaName = "Suggestion"
    static let schema = Schema.object(ProfileCard.schemaProperties + [.required("score", .number(0...1))])
}

/// A deck.
struct SuggestionList: JSONWritable, SchemaDescribed, Sendable {
    let items: [SuggestionView]
    let stage: DeckStage

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("items")
            writer.array(items)
            writer.field("stage", stage.rawValue)
        }
    }

    static let schemaName = "Suggestions"
    static let schema = Schema.object([
        .required("items", .list(SuggestionView.schema)),
        .required("stage", .oneOf(DeckStage.allCases.map(\.rawValue))),
    ])
}

/// A match in a list.
struct MatchView: JSONWritable, SchemaDescribed, Sendable {
    let match: Match
    let card: ProfileCard

    init(_ match: Match, card: ProfileCard) {
        self.match = match
        self.card = card
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", match.id)
            writer.field("conversation_id", match.conversation)
            writer.field("created_at", match.createdAt)
            writer.field("user", card)
        }
    }

    static let schemaName = "Match"
    static let schema = Schema.object([
        .required("id", .identifier(MatchKind.self)),
        .required("conversation_id", .identifier(ConversationKind.self)),
        .required("created_at", .dateTime),
        .required("user", ProfileCard.schema),
    ])
}

/// The answer to a swipe.
struct SwipeView: JSONWritable, SchemaDescribed, Sendable {
    let match: MatchView?

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("match")
            guard let match else { return writer.null() }
            writer.object { writer in
                writer.field("id", match.match.id)
                writer.field("conversation_id", match.match.conversation)
                writer.field("user", match.card)
            }
        }
    }

    static let schemaName = "SwipeResult"
    static let schema = Schema.object([
        .required(
            "match",
            .nullable(
                .object([
                    .required("id", .identifier(MatchKind.self)),
                    .required("conversation_id", .identifier(ConversationKind.self)),
                    .required("user", ProfileCard.schema),
                ])))
    ])
}

/// A swipe that was undone.
struct UndoneSwipeView: JSONWritable, SchemaDescribed, Sendable {
    let swipe: Swipe

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("target_id", swipe.target)
            writer.field("action", swipe.action.wire)
        }
    }

    static let schemaName = "UndoneSwipe"
    static let schema = Schema.object([
        .required("target_id", .identifier(UserKind.self)), .required("action", .oneOf(SwipeAction.wireWords)),
    ])
}

/// A person who likes the user.
struct LikeView: JSONWritable, SchemaDescribed, Sendable {
    let like: ReceivedLike
    let card: ProfileCard

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("user", card)
            writer.field("superlike", like.isSuperlike)
            writer.field("liked_at", like.likedAt)
        }
    }

    static let schemaName = "Like"
    static let schema = Schema.object([
        .required("user", ProfileCard.schema), .required("superlike", .boolean), .required("liked_at", .dateTime),
    ])
}

/// A person that the user blocked.
struct BlockView: JSONWritable, SchemaDescribed, Sendable {
    let block: Block

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("user_id", block.target)
            writer.field("blocked_at", block.blockedAt)
        }
    }

    static let schemaName = "Block"
    static let schema = Schema.object([
        .required("user_id", .identifier(UserKind.self)), .required("blocked_at", .dateTime),
    ])
}

/// The receipt of a report.
struct ReportView: JSONWritable, SchemaDescribed, Sendable {
    let id: ReportID

    func write(to writer: inout JSONWriter) {
        writer.object { $0.field("id", id) }
    }

    static let schemaName = "ReportReceipt"
    static let schema = Schema.object([.required("id", .identifier(ReportKind.self))])
}
