// The editing library keeps its state in global variables; only the queue below touches them.
@preconcurrency import CLibEdit
import Dispatch
import Foundation
import Synchronization

/// Reads lines with editing and history (arrow keys) from a terminal.
///
/// A pasted text of several lines is one input: its line breaks stand as `⏎` until it is sent. Alt-Enter
/// writes such a break by hand.
final class LineReader: Sendable {
    enum Input: Sendable, Equatable {
        case line(String)
        /// Ctrl-C.
        case interrupted
        /// Ctrl-D on an empty line, or the terminal has gone.
        case end
    }

    private let queue = DispatchQueue(label: "corvid.line-reader")
    private let historyFile: String?
    private let historyLimit: Int32 = 1000

    /// - Parameter historyFile: read now and written after each line; nil keeps the history in memory.
    init(historyFile: String?) {
        self.historyFile = historyFile
        queue.sync {
            useUnicode()
            rl_readline_name = KeyboardInput.programName
            rl_getc_function = { _ in KeyboardInput.shared.next() }
            // Signals come through the dispatch source of Interrupts.
            rl_catch_signals = 0
            using_history()
            stifle_history(historyLimit)
            if let historyFile { read_history(historyFile) }
        }
    }

    /// Waits for a line. Call it once at a time.
    func read(prompt: String) async -> Input {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.readNow(prompt)) }
        }
    }

    /// Ends a running ``read(prompt:)`` with ``Input/interrupted``; without one it does nothing.
    func interrupt() { KeyboardInput.shared.interrupt() }

    private func readNow(_ prompt: String) -> Input {
        KeyboardInput.shared.begin()
        rl_resize_terminal()
        // Ask the terminal to mark pasted text, and stop asking before anything else runs.
        try? StandardOutput.write("\u{1B}[?2004h")
        let typed = readline(prompt)
        try? StandardOutput.write("\u{1B}[?2004l")
        guard let typed else {
            try? StandardOutput.write("\n")
            return KeyboardInput.shared.wasInterrupted ? .interrupted : .end
        }
        defer { free(typed) }
        let line = String(cString: typed)
        remember(line)
        return .line(line.replacing(KeyboardInput.lineBreak, with: "\n").trimmingSuffixBreaks())
    }

    private func remember(_ line: String) {
        guard !line.allSatisfy(\.isWhitespace) else { return }
        if let last = history_get(history_base + history_length - 1), let text = last.pointee.line,
            String(cString: text) == line
        {
            return
        }
        add_history(line)
        guard let historyFile else { return }
        // What people say to a model is their own: nobody else may read the file.
        let mask = umask(0o077)
        write_history(historyFile)
        umask(mask)
    }

    /// Wide characters need a UTF-8 locale, which a bare machine has only by this name.
    private func useUnicode() {
        setlocale(LC_CTYPE, "")
        if let codeset = nl_langinfo(CInt(CODESET)), String(cString: codeset) == "UTF-8" { return }
        if setlocale(LC_CTYPE, "C.UTF-8") == nil { setlocale(LC_CTYPE, "en_US.UTF-8") }
    }
}

extension String {
    fileprivate func trimmingSuffixBreaks() -> String {
        var text = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}

/// The keyboard as the editing library sees it: whole characters, pasted line breaks marked, and a way to
/// stop waiting.
private final class KeyboardInput: Sendable {
    static let shared = KeyboardInput()
    nonisolated(unsafe) static let programName: UnsafePointer<CChar>? = UnsafePointer(strdup("corvid"))
    /// Stands for a line break inside the edited line.
    static let lineBreak = "\u{23CE}"
    private static let lineBreakScalar: Int32 = 0x23CE
    private static let end: Int32 = -1

    private struct State {
        var pending: [UInt8] = []
        var isPasting = false
        var wasInterrupted = false
    }

    private let state = Mutex(State())
    private let wake = Pipe()

    var wasInterrupted: Bool { state.withLock { $0.wasInterrupted } }

    func begin() {
        while waitForInput(wake: true, milliseconds: 0) == .wake {
            _ = wake.fileHandleForReading.availableData
        }
        state.withLock { $0 = State(pending: $0.pending) }
    }

    func interrupt() { try? wake.fileHandleForWriting.write(contentsOf: Data([0])) }

    /// The next character of the terminal as one scalar, or -1 at the end and after ``interrupt()``.
    func next() -> Int32 {
        while true {
            guard let byte = nextByte() else { return Self.end }
            switch byte {
            case 0x1B:
                guard let key = escape() else { continue }
                return key
            case 0x0A where isPasting, 0x0D where isPasting:
                return Self.lineBreakScalar
            case 0x09 where isPasting:
                return 0x20
            case 0x00..<0x80:
                return Int32(byte)
            default:
                return scalar(startingWith: byte)
            }
        }
    }

    private var isPasting: Bool { state.withLock { $0.isPasting } }

    /// Handles what follows an escape byte: marks of pasted text, Alt-Enter; all else goes on to the library.
    private func escape() -> Int32? {
        var following: [UInt8] = []
        let marks: [(bytes: [UInt8], isPasting: Bool)] = [
            (Array("[200~".utf8), true), (Array("[201~".utf8), false),
        ]
        while following.count < 5 {
            // The rest of a key's sequence comes at once; a person's next key does not.
            guard hasInput(milliseconds: 25), let byte = nextByte() else { break }
            following.append(byte)
            if following == [0x0D] || following == [0x0A] { return Self.lineBreakScalar }
            if let mark = marks.first(where: { $0.bytes == following }) {
                state.withLock { $0.isPasting = mark.isPasting }
                return nil
            }
            guard marks.contains(where: { $0.bytes.starts(with: following) }) else { break }
        }
        state.withLock { $0.pending = following + $0.pending }
        return 0x1B
    }

    /// Decodes one UTF-8 sequence; a broken one becomes U+FFFD.
    private func scalar(startingWith first: UInt8) -> Int32 {
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
        var bytes = [first]
        while bytes.count < length {
            guard let byte = nextByte() else { return Self.end }
            guard byte & 0xC0 == 0x80 else {
                state.withLock { $0.pending.insert(byte, at: 0) }
                break
            }
            bytes.append(byte)
        }
        return Int32(String(decoding: bytes, as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD)
    }

    private func nextByte() -> UInt8? {
        let pending = state.withLock { $0.pending.isEmpty ? nil : $0.pending.removeFirst() }
        if let pending { return pending }
        while true {
            switch waitForInput(wake: true, milliseconds: -1) {
            case .wake:
                _ = wake.fileHandleForReading.availableData
                state.withLock { $0.wasInterrupted = true }
                return nil
            case .input:
                var byte: UInt8 = 0
                let count = Foundation.read(STDIN_FILENO, &byte, 1)
                if count == 1 { return byte }
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                return nil
            case .nothing:
                continue
            }
        }
    }

    private func hasInput(milliseconds: Int32) -> Bool {
        if state.withLock({ !$0.pending.isEmpty }) { return true }
        return waitForInput(wake: false, milliseconds: milliseconds) == .input
    }

    private enum Readiness { case input, wake, nothing }

    private func waitForInput(wake watchesWake: Bool, milliseconds: Int32) -> Readiness {
        var files = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
        if watchesWake {
            files.append(
                pollfd(fd: wake.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0))
        }
        guard poll(&files, nfds_t(files.count), milliseconds) > 0 else { return .nothing }
        if watchesWake, files[1].revents != 0 { return .wake }
        return files[0].revents != 0 ? .input : .nothing
    }
}
