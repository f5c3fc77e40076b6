import SparkCore
import SparkDecks

// The JSON bodies and answers of Matching.

/// The body of `POST /swipes`.
struct SwipeBody: RequestBody {
    let target: UserID
    let action: SwipeAction

    static let body = BodyFields<SwipeBody>("Swipe", "A decision about a person.", SwipeBody.init(target:action:)) {
        Field("target_id", \.target)
        Field("action", \.action)
    }
}

/// The members `target_id` and `conversation_id`, of which exactly one is given.
extension Counterpart: RequestBody {
    static let body = BodyFields<Counterpart>("Counterpart", "A person, or a conversation with that person.", read: read) {
        person
        conversation
    }

    private static let person = Field<Counterpart, UserID?>(
        optional: "target_id", { if case .person(let user) = $0 { user } else { nil } }, "Required without conversation_id.")
    private static let conversation = Field<Counterpart, ConversationID?>(
        optional: "conversation_id", { if case .conversation(let conversation) = $0 { conversation } else { nil } },
        isInExample: false, "Required without target_id.")

    private static func read(from reader: inout ObjectReader) -> Counterpart? {
        let conversation = conversation.read(from: &reader)
        guard reader.has("conversation_id") else {
            reader.require("target_id")
            return (person.read(from: &reader) ?? nil).map { .person($0) }
        }
        if reader.has("target_id") {
            reader.refuse("conversation_id", "duplicate", "Give target_id or conversation_id, not both.")
            return nil
        }
        return (conversation ?? nil).map { .conversation($0) }
    }
}

/// The body of `POST /blocks` and `DELETE /blocks`.
struct BlockBody: RequestBody {
    let counterpart: Counterpart

    static let body = BodyFields<BlockBody>(
        "BlockRequest", "Whom to block or unblock: exactly one of the two members.", BlockBody.init(counterpart:)
    ) {
        Field(membersOf: \.counterpart)
    }
}

/// The body of `POST /reports`.
struct ReportBody: RequestBody {
    private static let rule = TextRule(.lines, atMost: 2_000, mayBeEmpty: true)

    let counterpart: Counterpart
    let category: Report.Category
    let text: String

    static let body = BodyFields<ReportBody>(
        "Report", "A report to the moderators: exactly one of target_id and conversation_id.",
        ReportBody.init(counterpart:category:text:)
    ) {
        Field(membersOf: \.counterpart)
        Field("category", \.category)
        Field("text", \.text, statement, default: "", "What happened, in the reporter's words.")
    }

    /// A report must be accepted as it is, so parts that could not be shown are removed from the text.
    private static let statement = FieldType.string(0...rule.characters).example("Asked me for money.")
        .map(from: { rule.repaired($0) }, to: \.self)
}

/// A candidate's card with the score.
struct SuggestionView: JSONObject {
    let card: ProfileCard
    /// The score in millionths. The answer shows three decimals.
    let score: Int

    static let fields = Fields<SuggestionView>("Suggestion", "A candidate of a deck: the card and the score.") {
        Field(membersOf: \.card)
        Field("score", { ($0.score + 500) / 1_000 }, .thousandths(0...1))
    }
}

/// A deck.
struct SuggestionList: JSONObject {
    let items: [SuggestionView]
    let stage: DeckStage

    static let fields = Fields<SuggestionList>("Suggestions", "A deck, best first.") {
        Field("items", \.items)
        Field("stage", \.stage)
    }
}

/// A match in a list.
struct MatchView: JSONObject {
    let match: Match
    let card: ProfileCard

    static let fields = Fields<MatchView>("Match", "A match in a list.") {
        Field("id", \.match.id)
        Field("conversation_id", \.match.conversation)
        Field("created_at", \.match.createdAt)
        Field("user", \.card, "The other person.")
    }
}

/// The answer to a swipe.
struct SwipeView: JSONObject {
    /// The match in the answer to the swipe that made it.
    struct NewMatch: JSONObject {
        let view: MatchView

        static let fields = Fields<NewMatch>("NewMatch", "The pair's live match.") {
            Field("id", \.view.match.id)
            Field("conversation_id", \.view.match.conversation)
            Field("user", \.view.card, "The other person.")
        }
    }

    let match: NewMatch?

    init(match: MatchView?) { self.match = match.map { NewMatch(view: $0) } }

    static let fields = Fields<SwipeView>("SwipeResult", "The answer to a swipe.") {
        Field("match", \.match, "The pair's live match; null if there is none.")
    }
}

/// A swipe that was undone.
extension Swipe: JSONObject {
    static let fields = Fields<Swipe>("UndoneSwipe", "A swipe that was undone.") {
        Field("target_id", \.target)
        Field("action", \.action)
    }
}

/// A person who likes the user.
struct LikeView: JSONObject {
    let like: ReceivedLike
    let card: ProfileCard

    static let fields = Fields<LikeView>("Like", "A person who likes the user.") {
        Field("user", \.card)
        Field("superlike", \.like.isSuperlike)
        Field("liked_at", \.like.likedAt)
    }
}

/// A person that the user blocked.
extension Block: JSONObject {
    static let fields = Fields<Block>("Block", "A person that the user blocked.") {
        Field("user_id", \.target)
        Field("blocked_at", \.blockedAt)
    }
}

/// The receipt of a report.
struct ReportReceipt: JSONObject {
    let id: ReportID

    static let fields = Fields<ReportReceipt>("ReportReceipt", "The receipt of a report.") {
        Field("id", \.id)
    }
}
