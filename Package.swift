// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioCompression = Target.Dependency.product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A module and its tests: the folder `Plugins/<name>` becomes the target `Spark<name>`,
/// `Tests/<name>Tests` its test target.
func plugin(
    _ name: String, _ dependencies: [Target.Dependency] = [], tests: [Target.Dependency] = []
) -> [Target] {
    [
        .target(
            name: "Spark\(name)",
            dependencies: [
                "SparkKit", "SparkCore", "SparkCache", "SparkFiles", "SparkStorage", httpTypes, logging, metrics, lifecycle,
            ]
                + dependencies,
            path: "Plugins/\(name)", swiftSettings: strict),
        .testTarget(
            name: "\(name)Tests",
            dependencies: [
                "Spark", "SparkTestSupport", "SparkDemo", "SparkKit", "SparkCore", "SparkCache", "SparkStorage",
                .init(stringLiteral: "Spark\(name)"),
                httpTypes, lifecycle,
            ] + dependencies + tests,
            path: "Tests/\(name)Tests", swiftSettings: strict),
    ]
}

let package = Package(
    name: "spark",
    products: [
        .executable(name: "spark", targets: ["SparkCommand"]),
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
    targets: [
        .systemLibrary(name: "CSpatiaLite", path: "Sources/CSpatiaLite"),
        .target(name: "SparkCore", swiftSettings: strict),
        .systemLibrary(name: "CLZ4", path: "Sources/CLZ4"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        .target(name: "CSparkSystem"),
        .target(name: "SparkFiles", dependencies: ["CSparkSystem"], swiftSettings: strict),
        .target(
            name: "SparkCache", dependencies: ["SparkCore", "SparkFiles", "CLZ4", "CSparkSystem", crypto, deque, logging],
            swiftSettings: strict),
        .target(name: "SparkDecks", dependencies: ["SparkCore"], swiftSettings: strict),
        .target(name: "SparkPromQL", dependencies: ["SparkCore"], swiftSettings: strict),
        .target(
            name: "SparkBench",
            dependencies: [
                "SparkCache", "SparkClient", "SparkDecks", "SparkCore", "SparkKit", "SparkTelemetry", crypto, histogram, logging,
                coreMetrics, nioCore, nioPosix,
            ], swiftSettings: strict),
        .target(
            name: "SparkStorage", dependencies: ["SparkCore", "SparkFiles", "CSpatiaLite", grdb, grdbSQLite, logging, metrics],
            swiftSettings: strict),
        .target(
            name: "SparkKit",
            dependencies: ["SparkCore", "SparkCache", "SparkStorage", "CZlib", httpTypes, crypto, logging, lifecycle],
            swiftSettings: strict),
        .target(
            name: "SparkTelemetry", dependencies: ["SparkKit", "CSparkSystem", coreMetrics], swiftSettings: strict),
        .target(
            name: "SparkTransport",
            dependencies: [
                "SparkKit", "SparkCore", "SparkStorage", "CSparkSystem", hummingbird, hummingbirdCore, httpTypes, metrics,
                nioCore,
                nioPosix,
                nioHTTP1, nioWebSocket, nioCompression, nioHTTPTypes, nioHTTPTypesHTTP1, logging, lifecycle, crypto,
            ],
            swiftSettings: strict),
        .target(
            name: "SparkServer",
            dependencies: [
                "SparkTransport", "SparkTelemetry", "SparkKit", "SparkCache", "SparkFiles", "SparkStorage", "SparkCore", metrics,
                yams,
                hummingbird, httpTypes, nioCore, nioPosix, logging, lifecycle, unixSignals, crypto,
            ],
            swiftSettings: strict),
        .target(
            name: "Spark",
            dependencies: [
                "SparkServer", "SparkKit", "SparkCore", "SparkCache", "SparkStorage", httpTypes, logging, "SparkAccounts",
                "SparkProfiles", "SparkMatching", "SparkChat", "SparkPush", "SparkMetrics",
            ],
            swiftSettings: strict),
        .target(name: "CSparkData"),
        .target(name: "CSparkPages", exclude: ["web"]),
        .target(
            name: "SparkDemo", dependencies: ["SparkKit", "SparkCore", "CSparkData"], swiftSettings: strict),
        .target(
            name: "SparkClient", dependencies: ["SparkCore", httpClient, nioCore, nioPosix, nioHTTP1, nioWebSocket],
            swiftSettings: strict),
        .target(name: "SparkAudit", dependencies: ["SparkClient", "SparkCore"], swiftSettings: strict),
        .target(
            name: "SparkTestSupport",
            dependencies: [
                "SparkTestProcess",
                "SparkServer", "SparkClient", "SparkKit", "SparkCore", "SparkCache", "SparkStorage", httpTypes, logging,
                lifecycle,
            ],
            path: "Tests/SparkTestSupport", swiftSettings: strict),
        .target(name: "SparkTestProcess", path: "Tests/SparkTestProcess", swiftSettings: strict),
        .testTarget(name: "SparkFilesTests", dependencies: ["SparkFiles"], swiftSettings: strict),
        .testTarget(name: "SparkCoreTests", dependencies: ["SparkCore"], swiftSettings: strict),
        .testTarget(
            name: "SparkDemoTests", dependencies: ["SparkDemo", "SparkKit", "SparkCore"], swiftSettings: strict),
        .testTarget(
            name: "SparkCacheTests", dependencies: ["SparkCache", "SparkTestSupport", "SparkCore", "CLZ4", crypto, logging],
            swiftSettings: strict),
        .testTarget(name: "SparkDecksTests", dependencies: ["SparkDecks", "SparkCore"], swiftSettings: strict),
        .target(
            name: "SparkPromQLTestSupport", dependencies: ["SparkPromQL", "SparkTestProcess", "SparkCore"],
            path: "Tests/SparkPromQLTestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "SparkPromQLTests", dependencies: ["SparkPromQL", "SparkPromQLTestSupport", "SparkCore"],
            swiftSettings: strict),
        .testTarget(name: "SparkBenchTests", dependencies: ["SparkBench", "SparkCache", "SparkCore"], swiftSettings: strict),
        .testTarget(
            name: "SparkStorageTests", dependencies: ["SparkStorage", "SparkCore", "SparkFiles", grdb], swiftSettings: strict),
        .testTarget(
            name: "SparkTelemetryTests", dependencies: ["SparkTelemetry", "SparkKit", coreMetrics], swiftSettings: strict),
        .testTarget(
            name: "SparkTransportTests",
            dependencies: [
                "SparkTransport", "SparkKit", "SparkCore", "SparkStorage", hummingbird, hummingbirdCore, httpTypes, logging,
                nioCore, nioEmbedded, nioHTTP1, nioWebSocket,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SparkServerTests",
            dependencies: [
                "SparkServer", "SparkTestSupport", "SparkClient", "SparkKit", "SparkCore", "SparkCache", "SparkFiles",
                "SparkStorage", httpTypes, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SparkAuditTests",
            dependencies: [
                "SparkAudit", "Spark", "SparkAccounts", "SparkClient", "SparkCore", "SparkKit", "SparkMatching", "SparkProfiles",
                "SparkServer",
                logging,
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "SparkTests", dependencies: ["Spark", "SparkKit", "SparkServer"], swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "SparkTestProcess", "SparkTestSupport", "SparkClient", "SparkCore", "SparkCommand", httpClient, nioCore, grdb,
            ],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .target(name: "NotesModule", dependencies: ["Spark"], path: "Tests/OutsidePackage/Sources/NotesModule"),
        .testTarget(
            name: "NotesModuleTests", dependencies: ["NotesModule", "Spark", "SparkClient"],
            path: "Tests/OutsidePackage/Tests/NotesModuleTests"),
        .executableTarget(
            name: "SparkCommand",
            dependencies: [
                "Spark", "SparkAudit", "SparkBench", "SparkClient", "SparkDemo", "SparkMetrics", "SparkProfiles", "SparkServer",
                "SparkTelemetry", "SparkTransport", "SparkFiles", "SparkStorage", arguments,
                logging,
                lifecycle, httpTypes,
            ],
            swiftSettings: strict),
    ]
        + plugin("Accounts", [crypto, cryptoExtras, jwt])
        + plugin("Profiles")
        + plugin("Matching", ["SparkDecks"])
        + plugin("Chat")
        + plugin(
            "Push", [crypto, cryptoExtras, jwt, httpClient, nioCore, nioHTTP1, nioPosix, nioSSL],
            tests: [nioHTTP2, "SparkClient", "SparkCommand", logging])
        + plugin(
            "Metrics", ["SparkTelemetry", "SparkPromQL", "CSparkPages", crypto, httpClient, nioCore, nioHTTP1, nioSSL, yams],
            tests: ["SparkPromQLTestSupport", "SparkServer", "SparkTestProcess"])
)
