/// How numbers become colours.
public enum ColorScale: Sendable, Equatable {
    /// From the least (dark) to the greatest value (bright).
    case sequential
    /// Blue below `center`, white at it, red above, equally far to both sides.
    case diverging(center: Double)
}

/// A red, a green and a blue part, 0 to 255.
struct Color: Equatable {
    let red, green, blue: Double

    init(_ hex: UInt32) {
        red = Double(hex >> 16 & 0xFF)
        green = Double(hex >> 8 & 0xFF)
        blue = Double(hex & 0xFF)
    }

    private init(red: Double, green: Double, blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// The color between two.
    func mixed(with other: Color, part: Double) -> Color {
        Color(
            red: red + (other.red - red) * part, green: green + (other.green - green) * part,
            blue: blue + (other.blue - blue) * part)
    }

    var text: String {
        "#"
            + [red, green, blue].map { part in
                let digits = String(Int(max(0, min(255, part)).rounded()), radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    /// Whether white letters are read better on it than black ones (weights of ITU-R BT.601).
    var isDark: Bool { 0.299 * red + 0.587 * green + 0.114 * blue < 140 }
}

enum Palette {
    /// Steps of viridis (van der Walt and Smith 2015): even in brightness, also for the colour-blind.
    static let sequential = [
        0x440154, 0x482878, 0x3E4A89, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6DCD59, 0xB4DE2C, 0xFDE725,
    ].map { Color($0) }

    /// Blue, white, red: RdBu of ColorBrewer (Harrower and Brewer 2003), turned round.
    static let diverging = [
        0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B,
        0x67001F,
    ].map { Color($0) }

    /// Colours of series (Okabe and Ito 2008), which the colour-blind tell apart, too.
    private static let series = [
        0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000, 0x999999,
    ].map { Color($0) }

    static func series(_ index: Int) -> String { series[index % series.count].text }

    /// The colour at `fraction`, 0 to 1, of a row of colours.
    static func color(_ colors: [Color], at fraction: Double) -> Color {
        let place = max(0, min(1, fraction)) * Double(colors.count - 1)
        let index = min(Int(place), colors.count - 2)
        return colors[index].mixed(with: colors[index + 1], part: place - Double(index))
    }
}
