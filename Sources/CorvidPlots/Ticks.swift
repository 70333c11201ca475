import Foundation

/// The round numbers along an axis.
struct Ticks: Equatable {
    /// Ends of the axis.
    let low: Double
    let high: Double
    /// In ascending order, none outside of the axis.
    let values: [Double]
    private let decimals: Int
    private let isScientific: Bool

    /// Around the finite ones of `values`, with about `count` ticks 1, 2 or 5 times a power of ten apart.
    /// - Parameters:
    ///   - includesZero: whether the axis reaches to zero whatever the values are.
    ///   - isTight: whether it ends at the least and greatest value and not at ticks.
    init(_ values: [Double], count: Int = 6, includesZero: Bool = false, isTight: Bool = false) {
        let finite = values.filter { $0.isFinite && $0.magnitude < 1e300 } + (includesZero ? [0] : [])
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        // A difference far below the numbers themselves cannot be written with few figures.
        if high - low <= max(low.magnitude, high.magnitude) * 1e-9 {
            let room = low == 0 ? 1 : low.magnitude * 0.1
            (low, high) = (low - room, high + room)
        }
        let step = Self.step(from: (high - low) / Double(max(1, count)))
        let first = (isTight ? (low / step - 1e-9).rounded(.up) : (low / step + 1e-9).rounded(.down))
        let last = (isTight ? (high / step + 1e-9).rounded(.down) : (high / step - 1e-9).rounded(.up))
        let number = last >= first ? Int(min(last - first, 1000)) : -1
        self.values = number < 0 ? [] : (0...number).map { (first + Double($0)) * step }
        self.low = isTight ? low : first * step
        self.high = isTight ? high : last * step
        let largest = max(self.low.magnitude, self.high.magnitude)
        isScientific = largest >= 1e6 || largest < 1e-3
        let unit = isScientific ? step / pow(10, floor(log10(largest))) : step
        decimals = max(0, min(9, Int((-log10(unit) - 1e-9).rounded(.up))))
    }

    /// The smallest of 1, 2, 5 times a power of ten that is no smaller.
    private static func step(from raw: Double) -> Double {
        let power = pow(10, floor(log10(raw)))
        let factor = raw / power
        return (factor <= 1 + 1e-9 ? 1 : factor <= 2 + 1e-9 ? 2 : factor <= 5 + 1e-9 ? 5 : 10) * power
    }

    /// As it stands beside a tick.
    func label(_ value: Double) -> String {
        // No minus before a zero.
        let value = value.magnitude < (high - low) * 1e-9 ? 0 : value
        if value == 0 { return "0" }
        guard isScientific else { return String(format: "%.\(decimals)f", value) }
        let text = String(format: "%.\(decimals)e", value)
        let parts = text.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return text }
        return "\(parts[0])e\(exponent)"
    }

    /// Where a value lies, from 0 at the low end to 1 at the high end.
    func fraction(_ value: Double) -> Double { (value - low) / (high - low) }
}

/// Numbers in hints and cells.
enum Number {
    /// With four figures.
    static func text(_ value: Double) -> String {
        value.isFinite ? String(format: "%.4g", value) : "no value"
    }
}
