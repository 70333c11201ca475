/// Two texts in two columns.
enum SideBySide {
    /// - Parameter width: columns of the terminal.
    static func lines(
        _ left: (heading: String, text: String), _ right: (heading: String, text: String),
        width: Int = max(40, min(Terminal.width, 160))
    ) -> String {
        let column = (width - 3) / 2
        let (first, second) = (wrapped(left.text, column), wrapped(right.text, column))
        var table = [line(left.heading, right.heading, column), line("", "", column, fill: "-")]
        for index in 0..<max(first.count, second.count) {
            table.append(
                line(
                    index < first.count ? first[index] : "", index < second.count ? second[index] : "", column
                ))
        }
        return table.joined(separator: "\n")
    }

    private static func line(_ left: String, _ right: String, _ column: Int, fill: String = " ") -> String {
        let blanks = max(0, column - DisplayWidth.of(left))
        guard fill == " " else {
            let rule = String(repeating: fill, count: column)
            return rule + " + " + rule
        }
        var line = left + String(repeating: " ", count: blanks) + " | " + right
        while line.last == " " { line.removeLast() }
        return line
    }

    /// Cut at blanks; longer words are broken.
    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).flatMap { paragraph in
            var lines: [String] = []
            var current = ""
            for word in paragraph.split(separator: " ", omittingEmptySubsequences: false) {
                var word = String(word)
                if !current.isEmpty, DisplayWidth.of(current) + 1 + DisplayWidth.of(word) > width {
                    lines.append(current)
                    current = ""
                }
                while DisplayWidth.of(word) > width {
                    lines.append(String(word.prefix(width)))
                    word = String(word.dropFirst(width))
                }
                current = current.isEmpty ? word : current + " " + word
            }
            return lines + [current]
        }
    }
}
