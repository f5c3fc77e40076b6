import Foundation

/// The size of the heavy tests: small in `swift test`, full in `make soak`.
enum Scale {
    static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    static func of(test: Int, soak: Int) -> Int { isSoak ? soak : test }
}
