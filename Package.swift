// swift-tools-version: 6.3
import PackageDescription

let strict =
    [.treatAllWarnings(as: .error)]
    + ["ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault"].map { SwiftSetting.enableUpcomingFeature($0) }

/// Packages of others on GitHub, the least version, and the libraries that are used of each.
let packages: [(path: String, version: Version, libraries: [String])] = [
    ("groue/GRDB.swift", "7.10.0", ["GRDB", "GRDBSQLite"]),
    ("apple/swift-nio", "2.101.2", ["NIOCore", "NIOPosix", "NIOEmbedded", "NIOHTTP1", "NIOTLS", "NIOWebSocket"]),
    ("apple/swift-nio-http2", "1.46.0", ["NIOHTTP2"]),
    ("apple/swift-nio-ssl", "2.37.6", ["NIOSSL"]),
    ("apple/swift-http-types", "1.8.0", ["HTTPTypes"]),
    ("apple/swift-collections", "1.6.0", ["DequeModule"]),
    ("apple/swift-log", "1.16.2", ["Logging"]),
    ("apple/swift-metrics", "2.13.0", ["CoreMetrics", "Metrics"]),
    ("apple/swift-crypto", "4.5.2", ["Crypto", "CryptoExtras"]),
    ("apple/swift-certificates", "1.21.1", ["X509"]),
    ("apple/swift-asn1", "1.7.1", ["SwiftASN1"]),
    ("apple/swift-argument-parser", "1.8.2", ["ArgumentParser"]),
    ("swift-server/swift-service-lifecycle", "2.13.0", ["ServiceLifecycle", "UnixSignals"]),
    ("swift-server/async-http-client", "1.37.0", ["AsyncHTTPClient"]),
    ("vapor/jwt-kit", "5.7.1", ["JWTKit"]),
    ("HdrHistogram/hdrhistogram-swift", "0.2.0", ["Histogram"]),
    ("jpsim/Yams", "6.2.2", ["Yams"]),
]

/// The dependencies with these names, each once: libraries of the packages above, or targets of this one.
func dependencies(_ names: [String]) -> [Target.Dependency] {
    names.enumerated().filter { names.firstIndex(of: $0.element) == $0.offset }.map(\.element).map { name in
        guard let package = packages.first(where: { $0.libraries.contains(name) }) else { return .byName(name: name) }
        return .product(name: name, package: package.path.split(separator: "/").last.map(String.init) ?? "")
    }
}

/// Tests in `Tests/<name>`.
func suite(_ name: String, _ needs: [String] = [], exclude: [String] = []) -> [Target] {
    [.testTarget(name: name, dependencies: dependencies(needs), exclude: exclude, swiftSettings: strict)]
}

/// A library in `Sources/<name>`, unless another folder is given.
func untested(_ name: String, _ needs: [String], at path: String? = nil) -> [Target] {
    [.target(name: name, dependencies: dependencies(needs), path: path, swiftSettings: strict)]
}

/// A library and its tests in `Tests/<name>Tests`.
/// - Parameter tests: what the tests need beside the library and its dependencies.
func library(_ name: String, _ needs: [String] = [], at path: String? = nil, tests: [String] = []) -> [Target] {
    untested(name, needs, at: path) + suite("\(name)Tests", [name] + needs + tests)
}

/// A module and its tests: the folder `Plugins/<name>` becomes the target `Spark<name>`, `Tests/<name>Tests` its test target.
func plugin(_ name: String, _ needs: [String] = [], tests: [String] = []) -> [Target] {
    untested("Spark\(name)", kit + needs + ["SparkFiles", "Logging", "Metrics"], at: "Plugins/\(name)")
        + suite("\(name)Tests", ["Spark\(name)", "Spark", "SparkTestSupport", "SparkDemo"] + kit + needs + tests)
}

/// An executable. Its product has another name.
func program(_ name: String, _ needs: [String], at path: String? = nil) -> [Target] {
    [.executableTarget(name: name, dependencies: dependencies(needs), path: path, swiftSettings: strict)]
}

let kit = ["SparkKit", "SparkCore", "SparkCache", "SparkStorage", "HTTPTypes", "ServiceLifecycle"]
let edge = ["SparkKit", "SparkCore", "HTTPTypes", "NIOCore", "Crypto"]
let running = ["Logging", "ServiceLifecycle"]
let http = ["SparkStorage", "Metrics", "NIOHTTP1", "NIOPosix"]
let sockets = ["NIOCore", "NIOPosix", "NIOHTTP1"]
let signing = ["Crypto", "CryptoExtras", "JWTKit"]
let modules = [
    "SparkAccounts", "SparkProfiles", "SparkMatching", "SparkChat", "SparkPush", "SparkMetrics", "SparkFixture",
]

let targets: [[Target]] = [
    ["CSpatiaLite", "CLZ4", "CZlib"].map { .systemLibrary(name: $0) },
    [.target(name: "CSparkSystem"), .target(name: "CGatheredLog"), .target(name: "CSparkData", exclude: ["web"])],
    library("SparkCore"),
    library("SparkFiles", ["CSparkSystem"]),
    library(
        "SparkCache", ["SparkCore", "SparkFiles", "CLZ4", "CSparkSystem", "Crypto", "DequeModule", "Logging"],
        tests: ["SparkTestSupport"]),
    library("SparkDecks", ["SparkCore", "CSparkSystem"]),
    library(
        "SparkStorage", ["SparkCore", "SparkFiles", "CSpatiaLite", "CGatheredLog", "GRDB", "GRDBSQLite", "Logging", "Metrics"]),
    library(
        "SparkBackup",
        [
            "SparkCore", "SparkFiles", "SparkStorage", "CGatheredLog", "CLZ4", "CZlib", "CSparkSystem", "GRDBSQLite", "Crypto",
            "AsyncHTTPClient", "NIOSSL", "DequeModule", "Logging",
        ] + sockets, tests: ["SparkTestSupport"]),
    library("SparkKit", ["SparkCore", "SparkCache", "SparkStorage", "CZlib", "HTTPTypes", "Crypto"] + running),
    library("SparkTelemetry", ["SparkKit", "CSparkSystem", "CoreMetrics"]),
    library(
        "SparkHTTP",
        edge + running + http + ["SparkFiles", "CSparkSystem", "DequeModule", "NIOSSL", "NIOTLS"],
        tests: ["NIOEmbedded", "SparkTestSupport"]),
    library(
        "SparkWebSocket", edge + ["NIOHTTP1", "NIOWebSocket"],
        tests: ["SparkHTTP", "SparkServer", "Logging", "NIOEmbedded"]),
    library("SparkStream", edge + running + ["SparkHTTP", "SparkWebSocket", "SparkStorage", "Metrics"]),
    library(
        "SparkServer",
        edge + running + http + [
            "SparkHTTP", "SparkWebSocket", "SparkStream", "SparkTelemetry", "SparkCache", "SparkFiles", "SparkBackup",
            "CSparkData", "Yams",
            "UnixSignals",
        ], tests: ["SparkTestSupport", "SparkClient"]),
    library("Spark", kit + modules + ["SparkServer", "Logging"]),
    library("SparkDemo", ["SparkKit", "SparkCore", "CSparkData"]),
    untested("SparkClient", sockets + ["SparkCore", "AsyncHTTPClient", "NIOSSL", "NIOWebSocket"]),
    library(
        "SparkTesting",
        ["Spark", "SparkKit", "SparkCore", "SparkClient", "SparkServer", "SparkFiles", "SparkFixture", "Logging"],
        tests: ["SparkTestSupport", "SparkCommand", "SparkStorage", "HTTPTypes"]),
    library(
        "SparkAudit", ["SparkClient", "SparkCore"],
        tests: ["Spark", "SparkAccounts", "SparkKit", "SparkMatching", "SparkProfiles", "SparkServer", "Logging"]),
    program(
        "SparkCommand",
        running + [
            "Spark", "SparkAudit", "SparkClient", "SparkDemo", "SparkFixture", "SparkMetrics", "SparkProfiles", "SparkServer",
            "SparkTelemetry", "SparkHTTP", "SparkFiles", "SparkKit", "SparkStorage", "SparkStream", "SparkBackup", "CSparkSystem",
            "ArgumentParser", "HTTPTypes", "CLZ4", "CZlib", "NIOSSL",
        ]),
    plugin("Accounts", signing),
    plugin("Profiles"),
    plugin("Matching", ["SparkDecks"]),
    plugin("Chat"),
    plugin(
        "Push", signing + sockets + ["AsyncHTTPClient", "NIOSSL"], tests: ["NIOHTTP2", "SparkClient", "SparkCommand", "Logging"]),
    plugin(
        "Metrics", ["SparkTelemetry", "CSparkData", "Crypto", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOSSL", "Yams"],
        tests: ["SparkServer"]),
    plugin(
        "Fixture", ["SparkDemo", "CSparkData", "Yams"], tests: ["SparkClient", "SparkServer", "SparkCommand", "Logging"]),

    // Further tests, and benchmarks.
    untested(
        "SparkTestSupport",
        kit + [
            "SparkServer", "SparkClient", "SparkFiles", "Logging", "AsyncHTTPClient", "NIOSSL", "Crypto", "CryptoExtras", "X509",
            "SwiftASN1",
        ] + sockets,
        at: "Tests/SparkTestSupport"),
    suite(
        "IntegrationTests",
        [
            "SparkTestSupport", "SparkClient", "SparkCore", "SparkCommand", "SparkServer", "SparkHTTP", "SparkKit",
            "SparkStorage",
            "Spark",
            "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "GRDB",
        ],
        exclude: ["Fixtures"]),
    suite("TidyTests"),
    // The example of the documentation has no settings of this package.
    [
        .target(name: "NotesModule", dependencies: ["Spark"], path: "Tests/OutsidePackage/Sources/NotesModule"),
        .testTarget(
            name: "NotesModuleTests", dependencies: ["NotesModule", "Spark", "SparkClient"],
            path: "Tests/OutsidePackage/Tests/NotesModuleTests"),
    ],
    library(
        "SparkBench",
        [
            "SparkCache", "SparkClient", "SparkDecks", "SparkCore", "SparkKit", "SparkTelemetry", "Crypto", "Histogram",
            "Logging", "CoreMetrics", "NIOCore", "NIOPosix",
        ], at: "Tests/Benchmarks/SparkBench"),
    program(
        "SparkBenchCommand",
        running + ["Spark", "SparkBench", "SparkDemo", "SparkFiles", "SparkServer", "ArgumentParser", "HTTPTypes"],
        at: "Tests/Benchmarks/Command"),
]

let package = Package(
    name: "spark",
    products: [
        .executable(name: "spark", targets: ["SparkCommand"]),
        .executable(name: "spark-bench", targets: ["SparkBenchCommand"]),
    ] + ["Spark", "SparkKit", "SparkCache", "SparkClient", "SparkTesting"].map { .library(name: $0, targets: [$0]) },
    dependencies: packages.map { .package(url: "https://github.com/\($0.path)", from: $0.version) },
    targets: targets.flatMap { $0 }
)
