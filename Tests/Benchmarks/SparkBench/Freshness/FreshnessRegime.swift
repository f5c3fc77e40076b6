/// How a cache keeps its entries fresh.
public struct FreshnessRegime: Sendable {
    public let name: String
    /// By `DatingNamespace.rawValue`.
    let rules: [FreshnessRule]
    /// A write stores the new value; otherwise it removes the old one.
    let isWritingThrough: Bool
    /// A change invalidates exactly the entries that depend on it; otherwise it deletes by key pattern.
    let hasStamps: Bool
    /// Entries are prefetched when a session begins, and leave memory when it ends.
    let hasHints: Bool

    init(
        _ name: String, isWritingThrough: Bool, hasStamps: Bool, hasHints: Bool = false, rule: (DatingNamespace) -> FreshnessRule
    ) {
        self.name = name
        self.rules = DatingNamespace.allCases.map(rule)
        self.isWritingThrough = isWritingThrough
        self.hasStamps = hasStamps
        self.hasHints = hasHints
    }

    public static let shortDeleting = FreshnessRegime(
        "short TTLs, delete on write", isWritingThrough: false, hasStamps: false, rule: FreshnessRule.short)
    public static let shortWriteThrough = FreshnessRegime(
        "short TTLs, write-through", isWritingThrough: true, hasStamps: false, rule: FreshnessRule.short)
    public static let stamps = FreshnessRegime(
        "stamps", isWritingThrough: true, hasStamps: true, rule: { FreshnessRule.long($0, isRevalidating: false) })
    public static let stampsRevalidating = FreshnessRegime(
        "stamps, stale-while-revalidate", isWritingThrough: true, hasStamps: true,
        rule: { FreshnessRule.long($0, isRevalidating: true) })
    public static let stampsHints = FreshnessRegime(
        "stamps, stale-while-revalidate, hints", isWritingThrough: true, hasStamps: true, hasHints: true,
        rule: { FreshnessRule.long($0, isRevalidating: true) })

    public static let all = [shortDeleting, shortWriteThrough, stamps, stampsRevalidating, stampsHints]

    func rule(_ namespace: UInt8) -> FreshnessRule { rules[Int(namespace)] }

    /// The effect of a write to an entry of the dating trace on the cache.
    func consequence(of write: TraceRequest, layout: DatingLayout) -> WriteConsequence {
        guard let namespace = DatingNamespace(rawValue: write.namespace) else { return WriteConsequence() }
        func own(_ namespace: DatingNamespace) -> Int { layout.key(namespace, Int(write.user)) }
        var consequence = WriteConsequence()
        if hasStamps {
            switch namespace {
            // Cells and regions are fresh within their lifetime; a move invalidates the mover's own suggestions.
            case .nearby, .grid: break
            case .suggestions: consequence.old = [Int(write.key)]
            case .preferences:
                consequence.changed = [Int(write.key)]
                consequence.old = [own(.suggestions), own(.queue)]
            case .profile, .queue, .matches, .chat: consequence.changed = [Int(write.key)]
            }
            return consequence
        }
        switch namespace {
        case .profile, .preferences:
            consequence.changed = [Int(write.key)]
            consequence.old = namespace == .profile ? [own(.preferences)] : [own(.profile)]
            consequence.old += [own(.suggestions), own(.matches)]
            consequence.wipesNearby = true
        case .matches:
            consequence.changed = [Int(write.key)]
            consequence.old = [layout.key(.suggestions, Int(write.key) - layout.key(.matches, 0))]
        case .queue, .chat: consequence.changed = [Int(write.key)]
        case .grid: consequence.old = [Int(write.key)]
        case .suggestions, .nearby: break
        }
        return consequence
    }
}

/// The entries that a write changes (their new value is known) and those that it invalidates.
struct WriteConsequence {
    var changed: [Int] = []
    var old: [Int] = []
    /// Removes every entry of the namespace `nearby`.
    var wipesNearby = false
}
