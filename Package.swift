// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Corvid",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "corvid", targets: ["corvid"]),
        .library(name: "Corvid", targets: ["CorvidModels", "CorvidText", "CorvidTensors"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibEdit", path: "Sources/CSystem/CLibEdit", providers: [.apt(["libedit-dev"])]),
        .target(name: "CorvidKernels"),
        .target(name: "CorvidTensors", dependencies: ["CorvidKernels"]),
        .target(name: "CorvidText"),
        .target(
            name: "CorvidModels",
            dependencies: [
                "CorvidTensors", "CorvidText", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "CorvidEvaluation", dependencies: ["CorvidModels", "CorvidTensors", "CorvidText"]),
        .target(name: "CorvidStore", dependencies: ["CorvidModels", "CorvidText"]),
        .target(name: "CorvidPlots"),
        .target(name: "CorvidEditing", dependencies: ["CorvidModels", "CorvidTensors", "CorvidText"]),
        .target(
            name: "CorvidRuns",
            dependencies: ["CorvidModels", "CorvidText", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "CorvidCommands",
            dependencies: [
                "CorvidTensors", "CorvidText", "CorvidModels", "CorvidStore", "CorvidRuns", "CorvidPlots",
                "CorvidEditing", "CorvidEvaluation",
                "CLibEdit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(name: "corvid", dependencies: ["CorvidCommands"]),

        .target(
            name: "TestSupport", dependencies: ["CorvidTensors", "CorvidText", "CorvidModels"],
            path: "Tests/Support"),
        .executableTarget(
            name: "mutants", dependencies: ["TestSupport", "CorvidModels", "CorvidRuns", "CorvidText"],
            path: "Tests/Mutants"),
        .testTarget(name: "CorvidKernelsTests", dependencies: ["CorvidKernels", "TestSupport"]),
        .testTarget(name: "CorvidTensorsTests", dependencies: ["CorvidTensors", "TestSupport"]),
        .testTarget(
            name: "CorvidTextTests", dependencies: ["CorvidText", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "CorvidModelsTests", dependencies: ["CorvidModels", "TestSupport", "mutants"]),
        .testTarget(name: "CorvidEditingTests", dependencies: ["CorvidEditing", "TestSupport"]),
        .testTarget(name: "CorvidEvaluationTests", dependencies: ["CorvidEvaluation", "TestSupport"]),
        .testTarget(name: "CorvidStoreTests", dependencies: ["CorvidStore", "TestSupport"]),
        .testTarget(name: "CorvidPlotsTests", dependencies: ["CorvidPlots", "TestSupport"]),
        .testTarget(name: "CorvidRunsTests", dependencies: ["CorvidRuns", "TestSupport", "mutants"]),
        .testTarget(name: "CorvidCommandsTests", dependencies: ["CorvidCommands", "TestSupport"]),
        .testTarget(
            name: "EndToEnd", dependencies: ["corvid", "CorvidModels", "CorvidTensors", "TestSupport"],
            path: "Tests/EndToEnd"),
    ]
)
