import Foundation

/// Where the user's lines come from.
enum ChatLines: Sendable {
    /// A terminal, with editing and history.
    case editor(LineReader)
    /// Anything else: one line, one turn.
    case plain

    var isInteractive: Bool {
        if case .editor = self { return true }
        return false
    }

    func next() async -> LineReader.Input {
        switch self {
        case .editor(let reader):
            // The marks tell the editor what takes no room; it drops what stands behind the last character.
            let prompt = Terminal.hasColour ? "\u{01}\u{1B}[1m\u{02}>\u{01}\u{1B}[0m\u{02} " : "> "
            return await reader.read(prompt: prompt)
        case .plain:
            return await withCheckedContinuation { continuation in
                // Reading blocks, which Swift's own threads must not.
                Self.queue.async {
                    continuation.resume(returning: readLine().map { .line($0) } ?? .end)
                }
            }
        }
    }

    private static let queue = DispatchQueue(label: "corvid.input")
}
