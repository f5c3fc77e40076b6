package import SparkCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A weighted sum of nearness, recent activity, suitable ages, shared interests, the likelihood of mutual likes, and a bonus for
/// people who were rarely shown yesterday. Each part is within 0…1; the sum is in millionths, rounded to the thousandths that are
/// shown.
///
/// Every part is as coarse as what others may know: kilometres, the three words for the last activity, and counts as of the
/// beginning of the day. So neither a score nor the order of a deck reveals more, and nothing that a person does today changes
/// either today. How often others liked the viewer does not affect what the viewer sees.
package struct WeightedScorer: CandidateScoring {
    /// The weights of the parts.
    package struct Weights: Hashable, Sendable {
        package var distance: Double
        package var recency: Double
        package var age: Double
        package var interests: Double
        package var likelihood: Double
        package var exposure: Double

        package init(
            distance: Double, recency: Double, age: Double, interests: Double, likelihood: Double = 0, exposure: Double = 0
        ) {
            self.distance = distance
            self.recency = recency
            self.age = age
            self.interests = interests
            self.likelihood = likelihood
            self.exposure = exposure
        }

        fileprivate var sum: Double { distance + recency + age + interests + likelihood + exposure }

        fileprivate func divided(by sum: Double) -> Weights {
            Weights(
                distance: distance / sum, recency: recency / sum, age: age / sum, interests: interests / sum,
                likelihood: likelihood / sum, exposure: exposure / sum)
        }
    }

    private let weights: Weights
    private let activeDays: Int
    private let leastShown: Int

    /// - Parameters:
    ///   - weights: scaled to the sum 1; if all are 0, all parts count equally.
    ///   - activeDays: the number of days without activity after which a person leaves all decks.
    ///   - leastShown: the number of decks of yesterday from which on a person gets no bonus.
    package init(_ weights: Weights, activeDays: Int, leastShown: Int = 20) {
        let sum = weights.sum
        self.weights =
            sum > 0
            ? weights.divided(by: sum)
            : Weights(distance: 1, recency: 1, age: 1, interests: 1, likelihood: 1, exposure: 1).divided(by: 6)
        self.activeDays = max(1, activeDays)
        self.leastShown = max(1, leastShown)
    }

    package func scale(for viewer: Candidate, at now: Timestamp) -> Scale {
        Scale(viewer, today: now.dayNumber, weights: weights, activeDays: activeDays, leastShown: leastShown)
    }

    /// Scores candidates for one viewer.
    package struct Scale: ScoreScale {
        /// More shared interests than this do not raise the score.
        private static let fullInterests = 5
        /// Shorter distances count as this shown floor, so that no order distinguishes them.
        private static let nearestKilometres = Double(ProfileCard.distanceFloorKilometres)

        /// The last days of "today" and "this week" among the three words for the last activity.
        private static let lastDays = (today: 0, week: 6)
        /// The step between two scores, in millionths.
        private static let grain = 1_000

        private let weights: Weights
        /// The values of the words for the last activity.
        private let worths: (today: Double, week: Double, earlier: Double)
        private let leastShown: Int
        private let estimate: ScoreEstimate
        private let viewerAge: Double
        private let soughtAge: Double
        private let soughtReach: Double
        private let likelihoods: LikelihoodTable

        fileprivate init(_ viewer: Candidate, today: UInt16, weights: Weights, activeDays: Int, leastShown: Int) {
            self.weights = weights
            // Each word is valued by a day in its middle.
            func worth(_ days: Int) -> Double { max(0, 1 - Double(days) / Double(activeDays)) }
            self.worths = (1, worth(3), worth((Self.lastDays.week + 1 + max(Self.lastDays.week + 1, activeDays)) / 2))
            self.leastShown = leastShown
            self.estimate = Self.estimate(viewer, today: today, weights: weights, worths: worths)
            self.viewerAge = Double(viewer.age)
            (self.soughtAge, self.soughtReach) = Self.range(viewer.preferences.minAge, viewer.preferences.maxAge)
            self.likelihoods = LikelihoodTable.of(viewer.counts.tally(on: today))
        }

        /// Selects among bit patterns without a branch. A branch on activity would be unpredictable for the processor.
        @inline(__always)
        private func worth(idleDays days: Int) -> Double {
            let older = days <= Self.lastDays.week ? worths.week.bitPattern : worths.earlier.bitPattern
            return Double(bitPattern: days <= Self.lastDays.today ? worths.today.bitPattern : older)
        }

        /// The weighted parts that a distance gives: if the candidate shows it, and if the candidate hides it.
        package struct Nearness {
            fileprivate let shown: Double
            fileprivate let hidden: Double
        }

        package var readsInterests: Bool { weights.interests > 0 }

        @inline(__always)
        package func nearness(metres: Double) -> Nearness {
            let kilometres = max(Self.nearestKilometres, Double(Int(metres / 1_000 + 0.5)))
            return Nearness(shown: part(kilometres), hidden: part(Self.band(kilometres)))
        }

        @inline(__always)
        private func part(_ kilometres: Double) -> Double {
            weights.distance * (1 / (1 + (kilometres - Self.nearestKilometres) / 10))
        }

        @inline(__always)
        package func score(_ traits: CandidateTraits, _ nearness: Nearness) -> Int {
            let recency = worth(idleDays: traits.idleDays)
            let (middle, reach) = Self.range(traits.minAge, traits.maxAge)
            let ages =
                (max(0, 1 - abs(Double(traits.age) - soughtAge) / soughtReach) + max(0, 1 - abs(viewerAge - middle) / reach)) / 2
            // Most people were shown in no deck, which saves a division.
            let need =
                traits.shownYesterday == 0 ? 1 : Double(max(0, leastShown - traits.shownYesterday)) / Double(leastShown)
            return total(
                nearness: traits.hidesDistance ? nearness.hidden : nearness.shown, recency: recency, ages: ages,
                sharedInterests: traits.sharedInterests, likelihood: likelihoods[traits.tally, isCertain: traits.likesViewer],
                need: need)
        }

        @inline(__always)
        package func ceiling(_ traits: TraitLimits) -> Int {
            // Rounded down: a person beyond this distance is rounded to at least this many kilometres, even if the last bit of
            // the distance is wrong. The sum uses the same operations as a score, each of them monotone, so it is a bound bit for
            // bit.
            let kilometres = max(Self.nearestKilometres, Double(Int(traits.metres / 1_000)))
            let recency = worth(idleDays: traits.idleDays)
            let ages = (max(0, 1 - abs(nearestAge(traits) - soughtAge) / soughtReach) + 1) / 2
            return total(
                nearness: part(kilometres), recency: recency, ages: ages, sharedInterests: traits.sharedInterests,
                likelihood: likelihoods[traits.tally, isCertain: traits.mayLikeViewer], need: 1)
        }

        @inline(__always)
        package func estimate(_ traits: TraitLimits, threshold: Int) -> ScoreEstimate? {
            var estimate = estimate
            // A score rounds up by half a step.
            let sum = (Double(threshold) - 0.5 * Double(Self.grain)) / 1_000_000
            let rest =
                nearness(metres: traits.metres).shown + weights.recency * worths.earlier
                + weights.likelihood * likelihoods[traits.tally, isCertain: traits.mayLikeViewer] + weights.exposure
            estimate.needed = Int((sum - rest) * ScoreEstimate.one - ScoreEstimate.roundings)
            return estimate
        }

        /// The estimate of a candidate's score, without the score that the search requires.
        private static func estimate(
            _ viewer: Candidate, today: UInt16, weights: Weights, worths: (today: Double, week: Double, earlier: Double)
        ) -> ScoreEstimate {
            let (middle, reach) = range(viewer.preferences.minAge, viewer.preferences.maxAge)
            let birthToday = BirthDay(daysSinceEpoch: Int64(today)).rawValue
            let daysPerYear = 365.2425
            func second(_ days: Int) -> UInt32 { UInt32(clamping: (Int(today) - days) * 86_400) }
            return ScoreEstimate(
                needed: 0, week: second(lastDays.week), today: second(lastDays.today),
                weekGain: ScoreEstimate.up(weights.recency * (worths.week - worths.earlier)),
                todayGain: ScoreEstimate.up(weights.recency * (worths.today - worths.week)),
                age: ScoreEstimate.up(weights.age / 2),
                bestBirth: UInt16(clamping: Int(Double(birthToday) - (middle + 0.5) * daysPerYear)),
                loss: UInt16(clamping: Int(weights.age / 2 / reach / daysPerYear * 65_536 * ScoreEstimate.one)),
                lastBirth: birthToday, doubleViewerAge: Int32(clamping: 2 * viewer.age),
                interest: ScoreEstimate.up(weights.interests / Double(fullInterests)), mostInterests: UInt16(fullInterests))
        }

        /// The age within the limits that suits the viewer best.
        @inline(__always)
        private func nearestAge(_ traits: TraitLimits) -> Double {
            min(max(soughtAge, Double(traits.youngest)), max(Double(traits.oldest), Double(traits.youngest)))
        }

        @inline(__always)
        private func total(
            nearness: Double, recency: Double, ages: Double, sharedInterests: Int, likelihood: Double, need: Double
        ) -> Int {
            let interests = Double(min(sharedInterests, Self.fullInterests)) / Double(Self.fullInterests)
            let sum =
                nearness + weights.recency * recency + weights.age * ages + weights.interests * interests
                + weights.likelihood * likelihood + weights.exposure * need
            // Not `rounded()`, which is a function call on processors older than 2008.
            return Int(sum * 1_000 + 0.5) * Self.grain
        }

        /// The middle of a range of ages, and the distance from it at which an age is worth nothing: one year beyond the ends.
        @inline(__always)
        private static func range(_ low: Int, _ high: Int) -> (middle: Double, reach: Double) {
            (Double(low + high) / 2, max(0, Double(high - low) / 2) + 1)
        }

        /// The far end of the band of a distance. People who hide their distance are scored with it, so the score reveals no more
        /// than that they are in a deck.
        private static func band(_ kilometres: Double) -> Double {
            if kilometres <= 10 { return 10 }
            if kilometres <= 50 { return 50 }
            if kilometres <= 200 { return 200 }
            return kilometres <= 1_000 ? 1_000 : max(kilometres, 20_100)
        }
    }
}
