import Foundation

/// The time a template is told by `strftime_now`.
public struct TemplateClock: Sendable {
    let now: @Sendable () -> Date
    let timeZone: TimeZone

    /// A clock that asks `now` and shows the time of `timeZone`.
    public init(timeZone: TimeZone, now: @escaping @Sendable () -> Date) {
        self.timeZone = timeZone
        self.now = now
    }

    /// The machine's clock and time zone.
    public static var system: TemplateClock {
        TemplateClock(timeZone: .current) { Date() }
    }

    /// A clock that always shows the same moment, so that a prompt can be repeated.
    public static func fixed(_ date: Date, timeZone: TimeZone = .gmt) -> TemplateClock {
        TemplateClock(timeZone: timeZone) { date }
    }

    /// The time in Python's `strftime` directives (C locale), or nil for one that is not known here.
    func formatted(_ format: String) -> String? {
        let date = now()
        let moment = CivilTime(date, offset: timeZone.secondsFromGMT(for: date))
        var result = ""
        var directives = Array(format.unicodeScalars)[...]
        while let scalar = directives.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            let isPlain = directives.first == "-"
            if isPlain { directives.removeFirst() }
            guard let directive = directives.popFirst(), var text = moment.text(directive) else { return nil }
            if isPlain {
                while text.count > 1, text.first == "0" || text.first == " " {
                    text.removeFirst()
                }
            }
            result += text
        }
        return result
    }
}

/// A moment by the Gregorian calendar.
private struct CivilTime {
    let year, month, day, hour, minute, second, weekday, dayOfYear: Int

    init(_ date: Date, offset: Int) {
        // Dates beyond year 9999 are of no use in a prompt and would overflow.
        let seconds = min(max(date.timeIntervalSince1970.rounded(.down), -62_135_596_800), 253_402_300_799)
        let total = Int(seconds) + offset
        var days = total / 86_400
        var rest = total % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = ((days + 4) % 7 + 7) % 7
        var year = 1970
        while days < 0 {
            year -= 1
            days += Self.days(in: year)
        }
        while days >= Self.days(in: year) {
            days -= Self.days(in: year)
            year += 1
        }
        dayOfYear = days + 1
        var month = 0
        while days >= Self.days(in: month, of: year) {
            days -= Self.days(in: month, of: year)
            month += 1
        }
        self.year = year
        self.month = month + 1
        day = days + 1
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func days(in year: Int) -> Int { isLeap(year) ? 366 : 365 }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 1: isLeap(year) ? 29 : 28
        case 3, 5, 8, 10: 30
        default: 31
        }
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ]
    private static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]

    func text(_ directive: Unicode.Scalar) -> String? {
        switch directive {
        case "Y": String(year)
        case "y": padded(year % 100)
        case "m": padded(month)
        case "d": padded(day)
        case "e": day < 10 ? " \(day)" : String(day)
        case "H": padded(hour)
        case "I": padded((hour + 11) % 12 + 1)
        case "M": padded(minute)
        case "S": padded(second)
        case "f": "000000"
        case "j": padded(dayOfYear, width: 3)
        case "p": hour < 12 ? "AM" : "PM"
        case "B": Self.months[month - 1]
        case "b", "h": String(Self.months[month - 1].prefix(3))
        case "A": Self.weekdays[weekday]
        case "a": String(Self.weekdays[weekday].prefix(3))
        case "w": String(weekday)
        case "u": String(weekday == 0 ? 7 : weekday)
        case "F": "\(year)-\(padded(month))-\(padded(day))"
        case "T", "X": "\(padded(hour)):\(padded(minute)):\(padded(second))"
        case "R": "\(padded(hour)):\(padded(minute))"
        case "D", "x": "\(padded(month))/\(padded(day))/\(padded(year % 100))"
        case "c":
            "\(Self.weekdays[weekday].prefix(3)) \(Self.months[month - 1].prefix(3)) \(text("e") ?? "") "
                + "\(text("T") ?? "") \(year)"
        // Python's 'datetime.now()' carries no time zone, so these print nothing.
        case "z", "Z": ""
        case "n": "\n"
        case "t": "\t"
        case "%": "%"
        default: nil
        }
    }

    private func padded(_ number: Int, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
