import ArgumentParser
import CorvidModels
import CorvidPlots
import Foundation

/// Where a drawing of the result goes.
///
///     try plot.write(HeatMap(title: title, rows: tokens, columns: layers, values: effects))
struct PlotOptions: ParsableArguments {
    @Option(
        name: .customLong("plot"),
        help: ArgumentHelp(
            "Draw the result into this file, .svg or .png (which needs rsvg-convert).", valueName: "path"))
    var path: String?

    /// Whether a drawing was asked for.
    var isWanted: Bool { path != nil }

    /// A wrong name and a missing program are said before the work and not after it.
    func validate() throws {
        guard let path else { return }
        let name = path.lowercased()
        guard name.hasSuffix(".svg") || name.hasSuffix(".png") else {
            throw ValidationError("--plot is '\(path)'; expected a name that ends in .svg or .png.")
        }
        if name.hasSuffix(".png"), PNG.converter == nil { throw ValidationError("\(PlotError.noConverter)") }
    }

    /// Writes the drawing, if one was asked for: the whole file or none.
    /// - Throws: `WriteError`, ``PlotError``.
    func write(_ plot: @autoclosure () throws -> some Plot) throws {
        guard let path else { return }
        let svg = Array(try plot().svg.utf8)
        let bytes = path.lowercased().hasSuffix(".png") ? try PNG.bytes(of: svg) : svg
        try AtomicFile.write(to: path) { try $0.write(bytes) }
    }
}

/// Why a drawing could not be made.
enum PlotError: Error, Equatable, CustomStringConvertible {
    case noConverter
    case converter(reason: String)

    var description: String {
        switch self {
        case .noConverter:
            "a .png needs rsvg-convert, which is not on the PATH. Name a .svg file, or install it: "
                + "sudo apt-get install -y librsvg2-bin"
        case .converter(let reason):
            "rsvg-convert could not draw the file: \(reason). Name a .svg file instead."
        }
    }
}

/// Turns drawings into pixels with another program.
enum PNG {
    /// The path of rsvg-convert, if it is there.
    static var converter: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { $0 + "/rsvg-convert" }.map(String.init).first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// - Throws: ``PlotError``.
    static func bytes(of svg: [UInt8]) throws -> [UInt8] {
        guard let converter else { throw PlotError.noConverter }
        // Files and not pipes: nobody has to read and write at the same time.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "corvid-plot-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, target) = (
            folder.appendingPathComponent("a.svg"), folder.appendingPathComponent("a.png")
        )
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            try Data(svg).write(to: source)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: converter)
            // Two pixels for each of the drawing's, as screens have them today.
            process.arguments = ["--zoom", "2", "--output", target.path, source.path]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw PlotError.converter(reason: "it ended with \(process.terminationStatus)")
            }
            return [UInt8](try Data(contentsOf: target))
        } catch let error as PlotError {
            throw error
        } catch {
            throw PlotError.converter(reason: FileReason.text(of: error))
        }
    }
}
