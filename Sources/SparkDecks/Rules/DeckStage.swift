import SparkCore

/// How far limits are loosened. A deck comes from the first stage that has any candidate; stages never mix.
package enum DeckStage: String, WireWord {
    /// All limits apply as set.
    case nearby
    /// Soft limits are loosened: twice the distance, five years on each side.
    case wider
    /// Soft limits are dropped.
    case anywhere

    package static let summary = "How far the limits of a deck are loosened."
}
