/// A part of the Earth in a pyramid of fixed grids of degrees: the whole Earth, or a square of one level.
///
/// Regions express dependencies; they are not a search index. A change at a place touches one region of each level. A search
/// around a place depends on at most four regions, which cover its circle at the finest level whose squares are as large as the
/// circle. For every radius, one of the touched regions is among the regions that the search depends on if the place may be in
/// the circle.
public struct Region: Hashable, Sendable {
    /// The sides of the squares in degrees, finest first.
    private static let sides: [Double] = [0.25, 0.5, 1, 2, 4, 8, 16]

    /// Level, row and column packed into one number, unique among all regions and below 2³².
    public let rawValue: UInt64

    private init(level: Int, row: Int, column: Int) {
        self.rawValue = UInt64(level + 1) << 24 | UInt64(row) << 12 | UInt64(column)
    }

    private init(world: Void) { self.rawValue = 0 }

    /// The whole Earth.
    public static let world = Region(world: ())

    /// The regions that contain a place: one of each level, and the whole Earth.
    public static func holding(_ place: Coordinate) -> [Region] {
        sides.indices.map { square(level: $0, latitude: place.latitude, longitude: place.longitude) } + [.world]
    }

    /// At most four regions that together contain every place within a radius. The whole Earth for very large circles, and for
    /// circles that cross a pole or the antimeridian.
    /// - Parameter radius: Nil means no limit.
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

    /// All regions that `covering` can return for a centre, at any radius.
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

    /// Values outside the ranges of coordinates are clamped.
    private static func square(level: Int, latitude: Double, longitude: Double) -> Region {
        let side = sides[level]
        func index(_ value: Double, _ limit: Double) -> Int { Int((min(max(value, -limit), limit) + limit) / side) }
        return Region(level: level, row: index(latitude, 90), column: index(longitude, 180))
    }
}
