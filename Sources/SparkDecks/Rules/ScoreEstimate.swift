/// Upper bounds of scores in small whole numbers, which take a few vector operations for each person. A sum of bounded parts is
/// compared with what a sufficient score needs of them.
package struct ScoreEstimate: Sendable {
    /// The number for a part of 1, as the sums of estimates count it.
    static let one = 32_768.0
    /// Each part is rounded by less than one; so much less is needed.
    static let roundings = 12.0
    /// Ages are counted in completed years. So within these days of the best day of birth, the age may be the best one.
    static let freeDays: UInt16 = 189

    /// The least sum of the parts below. At most 0 if everybody passes.
    var needed: Int
    /// What a last activity since each of two seconds gives in addition.
    var (week, today): (UInt32, UInt32)
    var (weekGain, todayGain): (UInt16, UInt16)
    /// The most that each of two parts gives: how the candidate's age suits the viewer, and the viewer's age the candidate.
    var age: UInt16
    /// The day of birth, as in `BirthDay`, that suits the viewer best; what 65,536 days of difference take away; and the last day.
    var (bestBirth, loss, lastBirth): (UInt16, UInt16, UInt16)
    var doubleViewerAge: Int32
    /// What one shared interest gives, and how many count.
    var (interest, mostInterests): (UInt16, UInt16)

    /// A part, rounded up.
    static func up(_ part: Double) -> UInt16 { UInt16(min(max(0, part * one), one).rounded(.up)) }
}
