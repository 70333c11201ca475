import Foundation

/// What the terminal can do.
enum Terminal {
    static var inputIsInteractive: Bool { isatty(STDIN_FILENO) == 1 }
    static var outputIsInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether somebody watches standard error on a terminal that can redraw a line.
    static var errorIsInteractive: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

    /// Whether the terminal only prints.
    static var isDumb: Bool {
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return kind.isEmpty || kind == "dumb"
    }

    /// Whether text on standard output may be coloured (`NO_COLOR` as on no-color.org).
    static var hasColour: Bool {
        let environment = ProcessInfo.processInfo.environment
        if let none = environment["NO_COLOR"], !none.isEmpty { return false }
        if let forced = environment["CLICOLOR_FORCE"], !forced.isEmpty, forced != "0" { return true }
        return outputIsInteractive && !isDumb
    }

    /// Columns of the terminal behind standard error.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// `text` in a faint colour where that can be shown.
    static func faint(_ text: String) -> String { hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
    /// `text` in bold where that can be shown.
    static func bold(_ text: String) -> String { hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    /// `text` with control characters replaced, except blanks and line breaks: what comes from a file or a model
    /// must not steer the terminal.
    static func withoutControls(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(isControl(scalar) ? "\u{FFFD}" : scalar) }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0x00..<0x20, 0x7F..<0xA0: true
        default: false
        }
    }
}
