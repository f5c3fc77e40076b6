import SparkCore
import Testing

@Suite("Regions") struct RegionTests {
    private func place(_ chance: inout SplitMix64) throws -> Coordinate {
        func fraction() -> Double { Double(chance.next() >> 11) / Double(1 << 53) }
        // Every fourth near a pole, every fourth near the antimeridian, every fourth on the corner of a square.
        let (latitude, longitude): (Double, Double) =
            switch chance.next() % 4 {
            case 0: (fraction() < 0.5 ? 90 - fraction() : fraction() - 90, fraction() * 360 - 180)
            case 1: (fraction() * 170 - 85, fraction() < 0.5 ? 180 - fraction() : fraction() - 180)
            case 2: (Double(Int(fraction() * 600) - 300) / 4, Double(Int(fraction() * 1_400) - 700) / 4)
            default: (fraction() * 180 - 90, fraction() * 360 - 180)
            }
        return try #require(Coordinate(latitude: latitude, longitude: longitude))
    }

    @Test("every person within a radius is in one of the regions that cover it, which are four at most and all declared")
    func covering() throws {
        var chance = SplitMix64(seed: 5)
        var (inside, narrow) = (0, 0)
        for _ in 0..<20_000 {
            let centre = try place(&chance)
            let radius = Distance(metres: Double(1 << (chance.next() % 21)) * 10)
            let regions = Region.covering(centre, radius: radius)
            #expect(regions.count <= 4 && Set(regions).count == regions.count)
            #expect(regions.allSatisfy(Region.allCovering(centre).contains), "\(centre) \(radius)")
            if regions != [.world] { narrow += 1 }
            for _ in 0..<4 {
                let other = nearby(centre, radius, &chance)
                guard centre.distance(to: other) <= radius else { continue }
                inside += 1
                #expect(!Set(Region.holding(other)).isDisjoint(with: regions), "\(centre) \(radius) \(other)")
            }
        }
        #expect(inside > 10_000 && narrow > 5_000)
        #expect(Region.covering(try place(&chance), radius: nil) == [.world])
    }

    @Test("a small circle far away is not touched")
    func apart() throws {
        let paris = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        let rome = try #require(Coordinate(latitude: 41.9, longitude: 12.5))
        let regions = Region.covering(paris, radius: .kilometres(100))
        #expect(Set(Region.holding(rome)).isDisjoint(with: regions))
    }

    private func nearby(_ centre: Coordinate, _ radius: Distance, _ chance: inout SplitMix64) -> Coordinate {
        func spread() -> Double { (Double(chance.next() >> 11) / Double(1 << 53) - 0.5) * 2 }
        let reach = radius.metres / 111_195
        let latitude = min(90, max(-90, centre.latitude + spread() * reach))
        var longitude = centre.longitude + spread() * min(180, reach / max(0.001, Self.cosine(latitude)))
        if longitude > 180 { longitude -= 360 }
        if longitude < -180 { longitude += 360 }
        return Coordinate(latitude: latitude, longitude: longitude) ?? centre
    }

    /// To within a percent, which is enough to hit and to miss.
    private static func cosine(_ degrees: Double) -> Double {
        let x = degrees / 180 * Double.pi
        return 1 - x * x / 2 + x * x * x * x / 24 - x * x * x * x * x * x / 720
    }
}
