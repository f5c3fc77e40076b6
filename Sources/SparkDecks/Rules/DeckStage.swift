/// How far the limits are stretched. A deck is answered at the first stage that has anybody; stages never mix.
package enum DeckStage: String, CaseIterable, Sendable {
    /// All limits as set.
    case nearby
    /// Soft limits loosened: twice the distance, five years to either side.
    case wider
    /// Soft limits dropped.
    case anywhere
}
