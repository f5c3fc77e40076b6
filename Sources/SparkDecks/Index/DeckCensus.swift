import SparkCore

/// Of the people around a viewer, how many which filter takes out, and what loosening one of the viewer's own would add.
///
/// A person is counted at the first filter that takes them out, in the order of the members.
///
/// Counts change with the viewer's own limits and places, so whoever is counted can be found by them. Therefore nobody is counted whom
/// the viewer may not see, or only without a distance: who hides, who blocked or was blocked, who unmatched, and whoever's hard limits
/// exclude the viewer. Nor is anybody whose decision about the viewer, or pause from a match, would show.
package struct DeckCensus: Hashable, Sendable {
    /// Within the viewer's distance.
    package var around = 0
    /// Of a gender that the viewer does not seek.
    package var gender = 0
    /// Not active for too long.
    package var inactive = 0
    /// Outside the viewer's ages.
    package var age = 0
    /// Whose soft limits the viewer is outside of: other ages or somebody nearer.
    package var theirs = 0
    /// Swiped by the viewer; matches left out.
    package var decided = 0
    /// In the deck.
    package var left = 0
    /// Who would be in the deck if the viewer's ages went five years farther to both sides.
    package var addedByAge = 0
    /// Who would be in the deck if the viewer looked twice as far.
    package var addedByDistance = 0
    /// Who would be in the deck if the viewer sought every gender.
    package var addedByGender = 0

    package init() {}
}

extension DeckIndex {
    /// Counts by the limits as they are set, none of them loosened. Looks at everybody within twice the distance.
    package func census(_ query: CandidateQuery) -> DeckCensus {
        guard let place = query.viewer.place, !query.viewer.isPaused, !query.viewer.isClosed else { return DeckCensus() }
        let ages = ages(on: query.now.date)
        var census = DeckCensus()
        let reach = Double(query.viewer.preferences.maxDistanceKilometres) * 1_000
        visit(within: 2 * reach, of: place) { row in
            guard row.id != query.viewer.id.rawValue else { return }
            let candidate = row.candidate(on: ages, interests: [])
            guard let there = candidate.place else { return }
            let metres = place.distance(to: there).metres
            if metres <= 2 * reach { census.count(candidate, at: metres, within: reach, query) }
        }
        return census
    }
}

extension DeckCensus {
    fileprivate mutating func count(_ candidate: Candidate, at metres: Double, within reach: Double, _ query: CandidateQuery) {
        let (viewer, id) = (query.viewer, candidate.id.rawValue)
        if candidate.isIncognito, !query.likers.contains(id) { return }
        guard !query.uncounted.contains(id),
            candidate.preferences.hardLimitsAdmit(
                gender: viewer.gender, age: viewer.age, distance: Distance(metres: metres))
        else { return }
        let isNear = metres <= reach
        let isSought = viewer.preferences.interestedIn.contains(candidate.gender)
        let isActive = candidate.lastActiveAt >= query.activeSince.flooredToSeconds
        let isOfAge = viewer.accepts(age: candidate.age, at: .nearby)
        let mindsNothing =
            candidate.accepts(age: viewer.age, at: .nearby)
            && metres <= Double(candidate.preferences.maxDistanceKilometres) * 1_000
        let isDecided = query.excluded.contains(id)
        if isNear {
            around += 1
            if !isSought {
                gender += 1
            } else if !isActive {
                inactive += 1
            } else if !isOfAge {
                age += 1
            } else if !mindsNothing {
                theirs += 1
            } else if isDecided {
                decided += 1
            } else {
                left += 1
            }
        }
        guard isActive, mindsNothing, !isDecided else { return }
        let isAlmostOfAge =
            candidate.age >= viewer.preferences.minAge - 5 && candidate.age <= viewer.preferences.maxAge + 5
        if isNear, isSought, !isOfAge, isAlmostOfAge { addedByAge += 1 }
        if !isNear, isSought, isOfAge { addedByDistance += 1 }
        if isNear, !isSought, isOfAge { addedByGender += 1 }
    }
}
