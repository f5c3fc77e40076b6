// swift-tools-version: 6.3
import PackageDescription

// A package outside the repository: it uses only Spark's library, adds its own module and starts a server.
let package = Package(
    name: "notes",
    dependencies: [.package(name: "spark", path: "../..")],
    targets: [
        .target(name: "NotesModule", dependencies: [.product(name: "Spark", package: "spark")]),
        .testTarget(
            name: "NotesModuleTests",
            dependencies: [
                "NotesModule", .product(name: "Spark", package: "spark"), .product(name: "SparkClient", package: "spark"),
            ]),
    ]
)
