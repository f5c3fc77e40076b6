package import SparkCore

/// A victim's home, and the equally likely places that the server publishes alike.
package struct Home: Sendable {
    package let place: Coordinate
    /// The published place: the best that an attack should find.
    package let published: Coordinate
    /// The home mirrored at the published centre in east-west, north-south and both. Published alike and equally likely.
    package let images: [Coordinate]

    /// The step from the published centre towards the home's corner of the cell.
    func towardsCorner(_ metresEachWay: Double) -> Offset {
        let offset = published.offset(to: place)
        return Offset(
            east: offset.east < 0 ? -metresEachWay : metresEachWay, north: offset.north < 0 ? -metresEachWay : metresEachWay)
    }
}

/// Random homes in the corners of their cells, in varied towns.
///
/// Every home is at least 0.62 of a cell from the centre of its cell. So the criterion "not nearer than half a cell" is exact: an
/// attacker who finds the published centre, exactly or with an error of a tenth of a cell, is still beyond it.
package enum HomePlaces {
    private static let leastCells = 0.62
    private static let attempts = 10_000

    /// Dense cities, far north and south, both sides of the antimeridian, the equator, an ocean.
    private static let towns: [(latitude: Double, longitude: Double)] = [
        (48.8566, 2.3522), (78.2232, 15.6267), (-16.8500, 179.9900), (48.8600, 2.3400), (35.6762, 139.6503), (-77.8460, 166.6760),
        (-0.1807, -78.4678), (48.8500, 2.3600), (40.7128, -74.0060), (66.0300, -179.9900), (-33.8688, 151.2093),
        (88.0000, 40.0000),
        (19.0760, 72.8777), (23.4162, 25.6628), (35.6800, 139.7000), (0.0000, 0.0000), (-54.8019, -68.3030), (64.1466, -21.9426),
        (6.5244, 3.3792), (-88.0000, -120.0000), (55.7558, 37.6173), (-23.5505, -46.6333), (1.3521, 103.8198),
        (71.3875, -156.4811),
    ]

    /// - Returns: nil for a grid whose cells have no such corners.
    package static func home(
        _ number: Int, _ exposure: Exposure, on ground: AuditGround, using random: inout SplitMix64
    ) -> Home? {
        let town = towns[number % towns.count]
        guard let near = Coordinate(latitude: town.latitude, longitude: town.longitude) else { return nil }
        let centre = ground.published(near, exposure)
        let half = ground.cell(exposure) / 2
        for _ in 0..<attempts {
            let offset = Offset(
                east: Double.random(in: -half...half, using: &random), north: Double.random(in: -half...half, using: &random))
            guard offset.metres >= leastCells * 2 * half else { continue }
            let images = [(-1.0, 1.0), (1, -1), (-1, -1)].map { east, north in
                centre.moved(by: Offset(east: offset.east * east, north: offset.north * north))
            }
            let place = centre.moved(by: offset)
            // Cells are not square everywhere on the sphere, so all mirrored homes must be in the same cell.
            guard ([place] + images).allSatisfy({ ground.published($0, exposure) == centre }) else { continue }
            return Home(place: place, published: centre, images: images)
        }
        return nil
    }
}
