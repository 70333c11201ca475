import Foundation

/// Numbers as people read them.
enum Figures {
    /// `20480` as `20,480`.
    static func grouped(_ value: Int) -> String {
        var digits = Array(String(value.magnitude))
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: index)
            index -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// `1 token`, `2 tokens`.
    static func count(_ value: Int, _ noun: String) -> String {
        "\(grouped(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// Three figures below a hundred, whole numbers above.
    static func rate(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "-" }
        if value.magnitude >= 100 { return grouped(Int(value.rounded())) }
        return String(format: value.magnitude >= 10 ? "%.1f" : "%.2f", value)
    }

    /// A number of -1 to 1 with three decimals.
    static func cosine(_ value: Double) -> String { String(format: "%.3f", value) }

    /// One digit and a power of ten: `3e-05`.
    static func small(_ value: Double) -> String { String(format: "%.0e", value) }

    /// `0.134` as `13.4 %`.
    static func percent(_ fraction: Double) -> String { String(format: "%.1f %%", fraction * 100) }

    /// Bytes in powers of ten, as disks and file managers count.
    static func bytes(_ count: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(count)
        var unit = 0
        while value.magnitude >= 1000, unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        return unit == 0
            ? "\(count) bytes" : String(format: value < 100 ? "%.1f" : "%.0f", value) + " " + units[unit]
    }

    /// A count in thousands, millions or billions: `134,515,008` as `134.5 M`.
    static func short(_ count: Int) -> String {
        let value = Double(count)
        if value >= 1e9 { return String(format: "%.1f B", value / 1e9) }
        if value >= 1e6 { return String(format: "%.1f M", value / 1e6) }
        return grouped(count)
    }

    /// Seconds as `48 s`, `3 min 10 s` or `2 h 5 min`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
