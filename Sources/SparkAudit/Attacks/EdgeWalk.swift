import SparkCore

/// Two places close together between which an answer changes.
struct Edge: Sendable {
    let inside: Coordinate
    let outside: Coordinate

    var middle: Coordinate { inside.middle(to: outside) }

    /// The clues from the edge, if the answer changes at this distance in metres.
    func clues(turningAt metres: Double) -> [Clue] {
        [
            Clue(inside, nearest: 0, farthest: metres),
            Clue(outside, nearest: metres, farthest: .infinity),
        ]
    }
}

extension Spy {
    /// Bisects the way between a place where a claim holds and one where it does not, until both are within the tolerance or the
    /// server treats the places between them alike.
    /// - Returns: nil when the claim does not hold at the start or holds at the end.
    func edge(
        from start: Coordinate, to end: Coordinate, tolerance: Double, where holds: () async throws -> Bool
    ) async throws -> Edge? {
        var inside = try await stand(at: start)
        guard try await holds() else { return nil }
        var outside = try await stand(at: end)
        guard try await !holds() else { return nil }
        while inside.distance(to: outside).metres > tolerance {
            let middle = try await stand(at: inside.middle(to: outside))
            guard middle != inside, middle != outside else { break }
            if try await holds() { inside = middle } else { outside = middle }
        }
        return Edge(inside: inside, outside: outside)
    }

    /// Finds the edges in evenly spread directions from a centre.
    /// - Parameter span: the part of each ray to search, in metres from the centre.
    func edges(
        around centre: Coordinate, rays: Int, span: ClosedRange<Double>, tolerance: Double, using random: inout SplitMix64,
        where holds: () async throws -> Bool
    ) async throws -> [Edge] {
        var edges: [Edge] = []
        for bearing in Self.bearings(rays, using: &random) {
            let found = try await edge(
                from: centre.moved(by: Offset(bearing: bearing, metres: span.lowerBound)),
                to: centre.moved(by: Offset(bearing: bearing, metres: span.upperBound)), tolerance: tolerance, where: holds)
            if let found { edges.append(found) }
        }
        return edges
    }

    /// Evenly spread bearings in radians, the first one random.
    static func bearings(_ count: Int, using random: inout SplitMix64) -> [Double] {
        let first = Double.random(in: 0..<2 * .pi, using: &random)
        return (0..<count).map { first + Double($0) * 2 * .pi / Double(count) }
    }
}

/// Locates a victim from edges at a known distance.
enum EdgeLocation {
    static func place(_ edges: [Edge], turningAt metres: Double, near start: Coordinate) -> Coordinate? {
        let middles = edges.map { Clue($0.middle, metres: metres) }
        guard let place = Multilaterator.place(middles, from: start) else { return nil }
        return FeasibleRegion.middle(of: edges.flatMap { $0.clues(turningAt: metres) }, around: place, reach: 1_500)
    }
}
