// swift-tools-version: 6.3
import PackageDescription

// A stranger's package: it knows Spark's library alone, adds a module of its own and starts the whole.
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
