import SparkCore

/// The two lines of a push, in one language.
struct PushText: Hashable, Sendable {
    /// Maximum characters shown of a message.
    private static let longest = 180

    let title: String
    let body: String

    init(title: String, body: String) {
        self.title = title
        self.body = body
    }

    /// - Parameter app: the title when the push names no person.
    init(_ news: PushNews, preview: NotificationSettings.Preview, language: PushLanguage, app: String = "Spark") {
        let phrases = Phrases.of(language)
        let items = news.heard
        let count = items.reduce(0) { $0 + $1.count }
        let name = items.count == 1 && preview != .none ? items.first?.name : nil
        switch news.kind {
        case .message:
            title = name ?? app
            body = Self.message(items, count: count, phrases, preview)
        case .match where count == 1:
            title = phrases.match
            body = name.map { phrases.matchWith.replacing("%s", with: $0) } ?? app
        case .match:
            title = app
            body = phrases.matches.text(count)
        case .like:
            title = app
            body = count == 1 ? phrases.like : phrases.likes.text(count)
        }
    }

    private static func message(
        _ items: [PushNews.Item], count: Int, _ phrases: Phrases, _ preview: NotificationSettings.Preview
    ) -> String {
        guard count == 1, let item = items.first, preview == .full else {
            return count == 1 ? phrases.message : phrases.messages.text(count)
        }
        switch item.content {
        case .sticker: return phrases.sticker
        case .gif: return phrases.picture
        case .text, nil: return item.text.count > longest ? "\(item.text.prefix(longest))…" : item.text
        }
    }
}
