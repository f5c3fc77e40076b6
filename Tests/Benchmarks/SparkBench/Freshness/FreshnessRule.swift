/// How long an entry may be served.
public struct FreshnessRule: Equatable, Sendable {
    /// Milliseconds from its load.
    public let lifetime: Int64
    /// Milliseconds after that in which it is still served while one reader loads it again.
    public let staleWhileRevalidate: Int64

    /// Entries that live only a few minutes expire before the disk is read.
    var isSpilled: Bool { lifetime > 5 * 60_000 }

    init(minutes: Double, staleMinutes: Double = 0) {
        lifetime = Int64(minutes * 60_000)
        staleWhileRevalidate = Int64(staleMinutes * 60_000)
    }

    /// Fixed lifetimes for each kind of entry, regardless of changes.
    public static func short(_ namespace: DatingNamespace) -> FreshnessRule {
        switch namespace {
        case .profile: FreshnessRule(minutes: 5)
        case .preferences: FreshnessRule(minutes: 10)
        case .suggestions: FreshnessRule(minutes: 2)
        case .queue: FreshnessRule(minutes: 0.5)
        case .matches: FreshnessRule(minutes: 10)
        case .chat: FreshnessRule(minutes: 60)
        case .nearby: FreshnessRule(minutes: 1)
        case .grid: FreshnessRule(minutes: 5)
        }
    }

    /// Entries that stamps keep fresh live for a day. Entries that no event invalidates keep the short lifetime, and with
    /// `isRevalidating` is served for a while longer during the next load.
    public static func long(_ namespace: DatingNamespace, isRevalidating: Bool) -> FreshnessRule {
        switch namespace {
        case .profile, .preferences, .matches, .chat, .queue: FreshnessRule(minutes: 1_440)
        case .suggestions: FreshnessRule(minutes: 2, staleMinutes: isRevalidating ? 60 : 0)
        case .nearby: FreshnessRule(minutes: 1, staleMinutes: isRevalidating ? 15 : 0)
        case .grid: FreshnessRule(minutes: 5, staleMinutes: isRevalidating ? 60 : 0)
        }
    }
}
