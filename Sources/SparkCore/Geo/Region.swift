/// A part of the Earth in a pyramid of fixed grids of degrees: the whole, or a square of one of the levels.
///
/// Made for dependencies, not for search: what happens at a place touches one region a level; what looks around a place depends on
/// the four regions at most that cover its circle, of the finest level whose squares are as large as the circle. Then one
/// of the touched regions is one of the depended ones exactly if the place may lie in the circle, at any radius.
public struct Region: Hashable, Sendable {
    /// Sides of the squares in degrees, the finest first.
    private static let sides: [Double] = [0.25, 0.5, 1, 2, 4, 8, 16]

    /// Level, row and column packed: unique among all regions, below 2³².
    public let rawValue: UInt64

    private init(level: Int, row: Int, column: Int) {
        self.rawValue = UInt64(level + 1) << 24 | UInt64(row) << 12 | UInt64(column)
    }

    private init(world: Void) { self.rawValue = 0 }

    public static let world = Region(world: ())

    /// The regions that hold a place: one a level, and the whole.
    public static func holding(_ place: Coordinate) -> [Region] {
        sides.indices.map { square(level: $0, latitude: place.latitude, longitude: place.longitude) } + [.world]
    }

    /// At most four regions that together hold every place within a radius. The whole for circles that are very large, or that reach
    /// over a pole or the antimeridian.
    /// - Parameter radius: nil without limit.
    public static func covering(_ centre: Coordinate, radius: Distance?) -> [Region] {
        guard let radius else { return [.world] }
        let boxes = Envelope.covering(centre, radius: radius)
        guard boxes.count == 1, let box = boxes.first else { return [.world] }
        let extent = max(box.maxLatitude - box.minLatitude, box.maxLongitude - box.minLongitude)
        guard let level = sides.firstIndex(where: { $0 >= extent }) else { return [.world] }
        var regions: [Region] = []
        for latitude in [box.minLatitude, box.maxLatitude] {
            for longitude in [box.minLongitude, box.maxLongitude] {
                let region = square(level: level, latitude: latitude, longitude: longitude)
                if !regions.contains(region) { regions.append(region) }
            }
        }
        return regions
    }

    /// All regions that `covering` gives for a centre, at whichever radius.
    public static func allCovering(_ centre: Coordinate) -> [Region] {
        var regions: [Region] = [.world]
        for (level, side) in sides.enumerated() {
            for latitude in [centre.latitude - side / 2, centre.latitude, centre.latitude + side / 2] {
                for longitude in [centre.longitude - side / 2, centre.longitude, centre.longitude + side / 2] {
                    let region = square(level: level, latitude: latitude, longitude: longitude)
                    if !regions.contains(region) { regions.append(region) }
                }
            }
        }
        return regions
    }

    /// Values beyond the ranges of coordinates count as the ends of the ranges.
    private static func square(level: Int, latitude: Double, longitude: Double) -> Region {
        let side = sides[level]
        func index(_ value: Double, _ limit: Double) -> Int { Int((min(max(value, -limit), limit) + limit) / side) }
        return Region(level: level, row: index(latitude, 90), column: index(longitude, 180))
    }
}
