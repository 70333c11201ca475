import ArgumentParser

/// How a result is shown.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object on standard output.")
    var json = false

    @Flag(help: "Show no progress.")
    var quiet = false
}
