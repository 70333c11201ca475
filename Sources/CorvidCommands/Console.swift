import Foundation

/// Where a command speaks: results on standard output, everything else on standard error.
struct Console: Sendable {
    let json: Bool
    /// Progress is shown to somebody who watches, and never mixes with a result.
    private let progress: ProgressLine

    init(options: OutputOptions) {
        json = options.json
        progress = ProgressLine(isShown: !options.quiet && Terminal.errorIsInteractive)
    }

    /// Of a talk, which writes no report.
    init(isQuiet: Bool) {
        json = false
        progress = ProgressLine(isShown: !isQuiet && Terminal.errorIsInteractive)
    }

    /// Writes a report in the form that was asked for.
    func write(_ report: some Report) throws {
        if json {
            try StandardOutput.write(report.json.encoded() + "\n")
        } else if !report.lines.isEmpty {
            try StandardOutput.write(safe(report.lines) + "\n")
        }
    }

    /// Writes a piece of text for people at once; nothing with `--json`.
    func stream(_ text: String) throws {
        guard !json, !text.isEmpty else { return }
        progress.erase()
        try StandardOutput.write(safe(text))
    }

    /// Bytes go into a file or pipe as they are; a terminal gets none that would steer it.
    private func safe(_ text: String) -> String {
        Terminal.outputIsInteractive ? Terminal.withoutControls(text) : text
    }

    /// Shows how far the work is. Cheap: draws a few times in a second.
    func show(_ label: String, done: Int, total: Int, unit: String) {
        progress.show(label, done: done, total: total, unit: unit)
    }

    /// Says something that a person should know although all goes well.
    func warn(_ text: String) {
        progress.erase()
        StandardError.write("corvid: warning: \(Terminal.withoutControls(text))\n")
    }

    /// Removes the progress line.
    func endProgress() { progress.erase() }
}
