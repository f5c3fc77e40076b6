import Testing

@testable import SparkCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs a property with a fresh seed (or the one in `SPARK_TEST_SEED`), which is printed and is in every failure.
func withSeed(_ name: String, _ body: (inout SplitMix64, Comment) throws -> Void) rethrows {
    let seed = getenv("SPARK_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...UInt64.max)
    print("seed of \(name): \(seed)")
    var random = SplitMix64(seed: seed)
    try body(&random, "SPARK_TEST_SEED=\(seed)")
}

extension Coordinate {
    /// Anywhere, with poles, antimeridian and equator more often than by chance.
    static func random(using random: inout SplitMix64) -> Coordinate {
        let latitude: Double
        switch Int.random(in: 0..<10, using: &random) {
        case 0: latitude = [-90, 90, 0, -89.999_999, 89.999_999].randomElement(using: &random) ?? 0
        case 1: latitude = Double.random(in: 89.5...90, using: &random) * (Bool.random(using: &random) ? 1 : -1)
        default: latitude = Double.random(in: -90...90, using: &random)
        }
        let longitude: Double
        switch Int.random(in: 0..<10, using: &random) {
        case 0: longitude = [-180, 180, 0, 179.999_999_9, -179.999_999_9].randomElement(using: &random) ?? 0
        case 1: longitude = (180 - Double.random(in: 0...0.01, using: &random)) * (Bool.random(using: &random) ? 1 : -1)
        default: longitude = Double.random(in: -180...180, using: &random)
        }
        return Coordinate(trustedLatitude: latitude, longitude: longitude == 180 ? -180 : longitude)
    }
}
