import Testing

@testable import SparkCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Boxes around circles")
struct EnvelopeTests {
    private func contains(_ boxes: [Envelope], _ place: Coordinate) -> Bool {
        boxes.contains { box in
            box.minLatitude <= place.latitude && place.latitude <= box.maxLatitude && box.minLongitude <= place.longitude
                && place.longitude <= box.maxLongitude
        }
    }

    /// The place at a distance in a direction, on the sphere.
    private func place(from centre: Coordinate, metres: Double, bearing: Double) -> Coordinate {
        let angle = metres / Coordinate.earthRadiusMetres
        let (latitude, longitude) = (centre.latitude.radians, centre.longitude.radians)
        let sine = sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(bearing)
        let reached = asin(min(1, max(-1, sine)))
        let turned =
            longitude + atan2(sin(bearing) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * sin(reached))
        var degrees = turned.degrees.remainder(dividingBy: 360)
        if degrees >= 180 { degrees -= 360 }
        return Coordinate(trustedLatitude: min(90, max(-90, reached.degrees)), longitude: max(-180, degrees))
    }

    @Test("every point within the radius lies in a box")
    func coversTheCircle() {
        withSeed("envelopes") { random, comment in
            for _ in 0..<3_000 {
                let centre = Coordinate.random(using: &random)
                // Small and large radii alike; none and half the Earth included.
                let radius: Double =
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0: 0
                    case 1: 20_000_000
                    default: exp(Double.random(in: 0...log(20_000_000), using: &random))
                    }
                let boxes = Envelope.covering(centre, radius: Distance(metres: radius))
                guard contains(boxes, centre) else {
                    Issue.record("\(centre) itself is not covered at \(radius) m; \(comment)")
                    return
                }
                for step in 0..<32 {
                    let fraction = step % 4 == 0 ? 1 : Double.random(in: 0...1, using: &random)
                    let bearing = Double(step) / 32 * 2 * .pi + Double.random(in: 0...0.2, using: &random)
                    let point = place(from: centre, metres: radius * fraction, bearing: bearing)
                    guard centre.distance(to: point).metres <= radius else { continue }
                    guard contains(boxes, point) else {
                        Issue.record("\(point) within \(radius) m of \(centre) is not covered; \(comment)")
                        return
                    }
                }
            }
        }
    }

    @Test("boxes stay on Earth, at most two of them")
    func boxesAreValid() {
        withSeed("valid envelopes") { random, comment in
            for _ in 0..<20_000 {
                let radius = exp(Double.random(in: 0...log(20_000_000), using: &random))
                let boxes = Envelope.covering(.random(using: &random), radius: Distance(metres: radius))
                let areValid = boxes.allSatisfy { box in
                    -90 <= box.minLatitude && box.minLatitude <= box.maxLatitude && box.maxLatitude <= 90
                        && -180 <= box.minLongitude && box.minLongitude <= box.maxLongitude && box.maxLongitude <= 180
                }
                guard areValid, (1...2).contains(boxes.count) else {
                    Issue.record("\(boxes) at \(radius) m; \(comment)")
                    return
                }
            }
        }
    }

    @Test("a small circle has a small box")
    func boxesAreTight() throws {
        let paris = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        let boxes = Envelope.covering(paris, radius: .kilometres(10))
        try #require(boxes.count == 1)
        #expect(boxes[0].maxLatitude - boxes[0].minLatitude < 0.181)
        #expect(boxes[0].maxLongitude - boxes[0].minLongitude < 0.275)
    }

    @Test("a circle over the antimeridian has two boxes, one over a pole all longitudes")
    func specialPlaces() throws {
        let taveuni = try #require(Coordinate(latitude: -16.8, longitude: 179.99))
        #expect(Envelope.covering(taveuni, radius: .kilometres(20)).count == 2)
        let pole = try #require(Coordinate(latitude: 89.95, longitude: 20))
        let boxes = Envelope.covering(pole, radius: .kilometres(20))
        try #require(boxes.count == 1)
        #expect(boxes[0].minLongitude == -180 && boxes[0].maxLongitude == 180 && boxes[0].maxLatitude == 90)
    }
}

@Suite("Places")
struct CoordinateTests {
    @Test("values outside the ranges, and values that are not numbers, are not places")
    func ranges() {
        #expect(Coordinate(latitude: 90.000_001, longitude: 0) == nil)
        #expect(Coordinate(latitude: -91, longitude: 0) == nil)
        #expect(Coordinate(latitude: 0, longitude: 180.1) == nil)
        #expect(Coordinate(latitude: .nan, longitude: 0) == nil)
        #expect(Coordinate(latitude: 0, longitude: .nan) == nil)
        #expect(Coordinate(latitude: .infinity, longitude: 0) == nil)
        #expect(Coordinate(latitude: -90, longitude: 180)?.longitude == -180)
    }

    @Test("distances are known ones, symmetric, and never negative")
    func distances() throws {
        let paris = try #require(Coordinate(latitude: 48.8566, longitude: 2.3522))
        let berlin = try #require(Coordinate(latitude: 52.52, longitude: 13.405))
        #expect(abs(paris.distance(to: berlin).metres - 877_463) < 500)
        let (north, south) = (Coordinate(latitude: 90, longitude: 50), Coordinate(latitude: -90, longitude: -120))
        let halfway = try #require(north).distance(to: try #require(south)).metres
        #expect(abs(halfway - .pi * Coordinate.earthRadiusMetres) < 1)
        withSeed("distances") { random, comment in
            for _ in 0..<10_000 {
                let (a, b) = (Coordinate.random(using: &random), Coordinate.random(using: &random))
                let distance = a.distance(to: b).metres
                #expect(distance >= 0 && abs(distance - b.distance(to: a).metres) < 1e-3, comment)
            }
        }
    }
}
