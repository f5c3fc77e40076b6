// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A library of another package.
func library(_ name: String, of package: String) -> Target.Dependency { .product(name: name, package: package) }

let hummingbird = library("Hummingbird", of: "hummingbird")
let hummingbirdCore = library("HummingbirdCore", of: "hummingbird")
let grdb = library("GRDB", of: "GRDB.swift")
let grdbSQLite = library("GRDBSQLite", of: "GRDB.swift")
let logging = library("Logging", of: "swift-log")
let coreMetrics = library("CoreMetrics", of: "swift-metrics")
let metrics = library("Metrics", of: "swift-metrics")
let lifecycle = library("ServiceLifecycle", of: "swift-service-lifecycle")
let unixSignals = library("UnixSignals", of: "swift-service-lifecycle")
let nioCore = library("NIOCore", of: "swift-nio")
let nioPosix = library("NIOPosix", of: "swift-nio")
let nioEmbedded = library("NIOEmbedded", of: "swift-nio")
let nioHTTP1 = library("NIOHTTP1", of: "swift-nio")
let nioWebSocket = library("NIOWebSocket", of: "swift-nio")
let nioHTTP2 = library("NIOHTTP2", of: "swift-nio-http2")
let nioSSL = library("NIOSSL", of: "swift-nio-ssl")
let nioCompression = library("NIOHTTPCompression", of: "swift-nio-extras")
let nioHTTPTypes = library("NIOHTTPTypes", of: "swift-nio-extras")
let nioHTTPTypesHTTP1 = library("NIOHTTPTypesHTTP1", of: "swift-nio-extras")
let histogram = library("Histogram", of: "hdrhistogram-swift")
let httpTypes = library("HTTPTypes", of: "swift-http-types")
let crypto = library("Crypto", of: "swift-crypto")
let cryptoExtras = library("CryptoExtras", of: "swift-crypto")
let jwt = library("JWTKit", of: "jwt-kit")
let httpClient = library("AsyncHTTPClient", of: "async-http-client")
let deque = library("DequeModule", of: "swift-collections")
let yams = library("Yams", of: "Yams")
let arguments = library("ArgumentParser", of: "swift-argument-parser")

/// A library and its tests: the folders `Sources/<name>`, unless another is given, and `Tests/<name>Tests`.
/// - Parameter tests: what the tests need beside the library and its dependencies; nil if it has no tests of its own.
func target(
    _ name: String, _ dependencies: [Target.Dependency] = [], at path: String? = nil, tests: [Target.Dependency]? = nil
) -> [Target] {
    let library = Target.target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
    return [library] + (tests.map { suite("\(name)Tests", [.init(stringLiteral: name)] + dependencies + $0) } ?? [])
}

/// A module and its tests: the folder `Plugins/<name>` becomes the target `Spark<name>`, `Tests/<name>Tests` its test target.
func plugin(
    _ name: String, _ dependencies: [Target.Dependency] = [], tests: [Target.Dependency] = []
) -> [Target] {
    let kit: [Target.Dependency] = ["SparkKit", "SparkCore", "SparkCache", "SparkStorage", httpTypes, lifecycle]
    let dependencies = kit + dependencies
    let own = ["Spark", "SparkTestSupport", "SparkDemo", .init(stringLiteral: "Spark\(name)")] + dependencies + tests
    return target("Spark\(name)", dependencies + ["SparkFiles", logging, metrics], at: "Plugins/\(name)")
        + suite("\(name)Tests", own)
}

/// Tests in `Tests/<name>`.
func suite(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> [Target] {
    [.testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)]
}

/// An executable. Its product may have another name.
func program(_ name: String, _ dependencies: [Target.Dependency], at path: String? = nil) -> [Target] {
    [.executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)]
}

let clibraries: [Target] =
    ["CSpatiaLite", "CLZ4", "CZlib"].map { .systemLibrary(name: $0) }
    + [.target(name: "CSparkSystem"), .target(name: "CSparkData", exclude: ["web"])]

let libraries: [[Target]] = [
    target("SparkCore", tests: []),
    target("SparkFiles", ["CSparkSystem"], tests: []),
    target(
        "SparkCache", ["SparkCore", "SparkFiles", "CLZ4", "CSparkSystem", crypto, deque, logging], tests: ["SparkTestSupport"]),
    target("SparkDecks", ["SparkCore"], tests: []),
    target(
        "SparkStorage", ["SparkCore", "SparkFiles", "CSpatiaLite", grdb, grdbSQLite, logging, metrics], tests: []),
    target("SparkKit", ["SparkCore", "SparkCache", "SparkStorage", "CZlib", httpTypes, crypto, logging, lifecycle], tests: []),
    target("SparkTelemetry", ["SparkKit", "CSparkSystem", coreMetrics], tests: []),
    target(
        "SparkHTTP",
        [
            "SparkKit", "SparkCore", "SparkStorage", "CSparkSystem", hummingbird, hummingbirdCore, httpTypes, metrics, nioCore,
            nioPosix, nioHTTP1, nioCompression, nioHTTPTypes, nioHTTPTypesHTTP1, logging, lifecycle, crypto,
        ], tests: [nioEmbedded]),
    target(
        "SparkWebSocket", ["SparkKit", "SparkCore", httpTypes, nioCore, nioHTTP1, nioWebSocket, crypto],
        tests: ["SparkHTTP", "SparkServer", hummingbird, hummingbirdCore, logging, nioEmbedded]),
    target(
        "SparkStream",
        [
            "SparkHTTP", "SparkWebSocket", "SparkKit", "SparkCore", "SparkStorage", httpTypes, metrics, nioCore, logging,
            lifecycle, crypto,
        ], tests: []),
    target(
        "SparkServer",
        [
            "SparkHTTP", "SparkWebSocket", "SparkStream", "SparkTelemetry", "SparkKit", "SparkCache", "SparkFiles",
            "SparkStorage", "SparkCore", metrics, yams, hummingbird, httpTypes, nioCore, nioHTTP1, nioPosix, logging, lifecycle,
            unixSignals, crypto,
        ], tests: ["SparkTestSupport", "SparkClient"]),
    target(
        "Spark",
        [
            "SparkServer", "SparkKit", "SparkCore", "SparkCache", "SparkStorage", httpTypes, logging, "SparkAccounts",
            "SparkProfiles", "SparkMatching", "SparkChat", "SparkPush", "SparkMetrics",
        ], tests: []),
    target("SparkDemo", ["SparkKit", "SparkCore", "CSparkData"], tests: []),
    target("SparkClient", ["SparkCore", httpClient, nioCore, nioPosix, nioHTTP1, nioWebSocket]),
    target(
        "SparkAudit", ["SparkClient", "SparkCore"],
        tests: ["Spark", "SparkAccounts", "SparkKit", "SparkMatching", "SparkProfiles", "SparkServer", logging]),
    program(
        "SparkCommand",
        [
            "Spark", "SparkAudit", "SparkClient", "SparkDemo", "SparkMetrics", "SparkProfiles", "SparkServer", "SparkTelemetry",
            "SparkHTTP", "SparkFiles", "SparkStorage", arguments, logging, lifecycle, httpTypes,
        ]),
]

let plugins: [[Target]] = [
    plugin("Accounts", [crypto, cryptoExtras, jwt]),
    plugin("Profiles"),
    plugin("Matching", ["SparkDecks"]),
    plugin("Chat"),
    plugin(
        "Push", [crypto, cryptoExtras, jwt, httpClient, nioCore, nioHTTP1, nioPosix, nioSSL],
        tests: [nioHTTP2, "SparkClient", "SparkCommand", logging]),
    plugin(
        "Metrics", ["SparkTelemetry", "CSparkData", crypto, httpClient, nioCore, nioHTTP1, nioSSL, yams],
        tests: ["SparkServer"]),
]

let tests: [[Target]] = [
    target(
        "SparkTestSupport",
        [
            "SparkServer", "SparkClient", "SparkKit", "SparkCore", "SparkCache", "SparkStorage", httpTypes,
            logging, lifecycle,
        ], at: "Tests/SparkTestSupport"),
    suite(
        "IntegrationTests",
        ["SparkTestSupport", "SparkClient", "SparkCore", "SparkCommand", "SparkServer", httpClient, nioCore, grdb],
        exclude: ["Fixtures"]),
    suite("TidyTests"),
    [
        .target(name: "NotesModule", dependencies: ["Spark"], path: "Tests/OutsidePackage/Sources/NotesModule"),
        .testTarget(
            name: "NotesModuleTests", dependencies: ["NotesModule", "Spark", "SparkClient"],
            path: "Tests/OutsidePackage/Tests/NotesModuleTests"),
    ],
]

let benchmarks: [[Target]] = [
    target(
        "SparkBench",
        [
            "SparkCache", "SparkClient", "SparkDecks", "SparkCore", "SparkKit", "SparkTelemetry", crypto, histogram, logging,
            coreMetrics, nioCore, nioPosix,
        ], at: "Tests/Benchmarks/SparkBench", tests: []),
    program(
        "SparkBenchCommand",
        ["Spark", "SparkBench", "SparkDemo", "SparkServer", arguments, logging, lifecycle, httpTypes],
        at: "Tests/Benchmarks/Command"),
]

let package = Package(
    name: "spark",
    products: [
        .executable(name: "spark", targets: ["SparkCommand"]),
        .executable(name: "spark-bench", targets: ["SparkBenchCommand"]),
        .library(name: "Spark", targets: ["Spark"]),
        .library(name: "SparkKit", targets: ["SparkKit"]),
        .library(name: "SparkCache", targets: ["SparkCache"]),
        .library(name: "SparkClient", targets: ["SparkClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: clibraries + (libraries + plugins + tests + benchmarks).flatMap { $0 }
)
