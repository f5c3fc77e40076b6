import Foundation

/// How large the heavy tests are: small in `swift test`, whole in `make soak`.
enum Scale {
    static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    static func of(test: Int, soak: Int) -> Int { isSoak ? soak : test }
}
