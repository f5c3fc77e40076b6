import SparkCore

/// How many of the people around a viewer each filter removes, and how many people loosening one of the viewer's own limits would
/// add.
///
/// A person is counted at the first filter that removes them, in the order of the members.
///
/// Counts change with the viewer's limits and places, so counted people could be located by them. So the counts leave out
/// everybody that the viewer may not see with a distance: hidden people, people in a block with the viewer or unmatched, and
/// people whose hard limits exclude the viewer. They also leave out people whose decision about the viewer, or whose pause from a
/// match, a count would reveal.
package struct DeckCensus: Hashable, Sendable {
    /// Within the viewer's distance.
    package var around = 0
    /// Of a gender that the viewer does not seek.
    package var gender = 0
    /// Inactive for too long.
    package var inactive = 0
    /// Outside the viewer's range of ages.
    package var age = 0
    /// Their soft limits exclude the viewer by age or distance.
    package var theirs = 0
    /// The viewer has swiped on them; without matches.
    package var decided = 0
    /// In the deck.
    package var left = 0
    /// Would be in the deck if the viewer's range of ages were five years wider on both sides.
    package var addedByAge = 0
    /// Would be in the deck if the viewer's distance were doubled.
    package var addedByDistance = 0
    /// Would be in the deck if the viewer sought every gender.
    package var addedByGender = 0

    /// A census of nobody.
    package init() {}
}

extension DeckIndex {
    /// Counts by the limits as set, with no stage loosened. Visits everybody within twice the distance.
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
