import Foundation

/// Builds the text of an SVG file. All text and attributes pass through here and are escaped.
struct SVG {
    /// Font of all text, in pixels.
    static let fontSize = 12.0

    private var body = ""
    private var depth = 1

    /// An element without content. Numbers are rounded to hundredths of a pixel.
    mutating func add(_ element: String, _ attributes: KeyValuePairs<String, Attribute>) {
        line("<\(element)\(Self.text(of: attributes))/>")
    }

    /// An element with a line that viewers show under the pointer.
    mutating func add(_ element: String, _ attributes: KeyValuePairs<String, Attribute>, hint: String) {
        line("<\(element)\(Self.text(of: attributes))><title>\(Self.escaped(hint))</title></\(element)>")
    }

    /// A line of text. Its place is that of its baseline's start, middle or end.
    mutating func text(
        _ text: String, x: Double, y: Double, anchor: String = "start", turned: Double? = nil,
        size: Double = SVG.fontSize, bold: Bool = false, color: String? = nil
    ) {
        let turn = turned.map {
            " transform=\"rotate(\(Self.number($0)) \(Self.number(x)) \(Self.number(y)))\""
        }
        let attributes =
            Self.text(of: ["x": .number(x), "y": .number(y), "text-anchor": .text(anchor)])
            + (size == Self.fontSize ? "" : Self.text(of: ["font-size": .number(size)]))
            + (bold ? " font-weight=\"bold\"" : "")
            + (color.map { Self.text(of: ["fill": .text($0)]) } ?? "") + (turn ?? "")
        line("<text\(attributes) xml:space=\"preserve\">\(Self.escaped(text))</text>")
    }

    /// Puts what `content` adds into a group.
    mutating func group(_ attributes: KeyValuePairs<String, Attribute>, _ content: (inout SVG) -> Void) {
        line("<g\(Self.text(of: attributes))>")
        depth += 1
        content(&self)
        depth -= 1
        line("</g>")
    }

    /// The file, with a white ground.
    func file(width: Double, height: Double, title: String) -> String {
        let (w, h) = (Self.number(width.rounded(.up)), Self.number(height.rounded(.up)))
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="\(w)" height="\(h)" \
            viewBox="0 0 \(w) \(h)" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" \
            font-size="\(Self.number(Self.fontSize))" fill="#222222">
              <title>\(Self.escaped(title))</title>
              <defs>
                <pattern id="missing" width="6" height="6" patternUnits="userSpaceOnUse">
                  <rect width="6" height="6" fill="#e4e4e4"/>
                  <path d="M0,6 L6,0" stroke="#a0a0a0" stroke-width="1"/>
                </pattern>
              </defs>
              <rect width="\(w)" height="\(h)" fill="#ffffff"/>
            \(body)</svg>

            """
    }

    private mutating func line(_ text: String) {
        body += String(repeating: "  ", count: depth) + text + "\n"
    }

    // MARK: - Values

    enum Attribute {
        case number(Double)
        case text(String)
    }

    private static func text(of attributes: KeyValuePairs<String, Attribute>) -> String {
        attributes.map { name, value in
            switch value {
            case .number(let number): " \(name)=\"\(Self.number(number))\""
            case .text(let text): " \(name)=\"\(escaped(text))\""
            }
        }.joined()
    }

    /// A coordinate in the shortest form, with at most two decimals; 0 for what is no number.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e9 else { return "0" }
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
        let sign = hundredths < 0 ? "-" : ""
        if rest == 0 { return sign + "\(whole)" }
        let decimals = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
        return sign + "\(whole).\(decimals)"
    }

    /// Text as it may stand in XML 1.0, between tags and in attributes. What XML has no place for is left out.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t", "\r": result += " "
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": break
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension SVG.Attribute: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .text(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
}
