/// How labels fit into the room they have.
enum Labels {
    /// About how wide a text is, in pixels. Fonts differ, so that this is rather too much than too little.
    static func width(_ text: String, size: Double = SVG.fontSize) -> Double {
        text.reduce(0) { $0 + width(of: $1) } * size
    }

    /// In parts of the font's size.
    private static func width(of character: Character) -> Double {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if scalar.properties.isEmojiPresentation || isWide(scalar.value) { return 1.05 }
        switch scalar {
        case "i", "j", "l", "I", "t", "f", "r", ".", ",", ":", ";", "'", "|", "!", "(", ")", "[", "]", " ":
            return 0.36
        case "m", "w", "M", "W", "%", "@": return 0.9
        case "A"..."Z": return 0.7
        default: return 0.58
        }
    }

    /// East Asian wide and full-width characters, coarse (Unicode Standard Annex 11).
    private static func isWide(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// The beginning of a text, so much of it as fits into `room` pixels. Line breaks are shown.
    static func shortened(_ text: String, to room: Double, size: Double = SVG.fontSize) -> String {
        let text = String(
            text.map { character -> Character in
                switch character {
                case "\n", "\r\n", "\r": "\u{23CE}"
                case "\t": "\u{21E5}"
                default: character
                }
            })
        guard width(text, size: size) > room else { return text }
        var used = width("…", size: size)
        var kept = ""
        for character in text {
            used += width(of: character) * size
            if used > room { break }
            kept.append(character)
        }
        return kept + "…"
    }

    /// Every how many-th label is shown so that they stand `room` pixels apart at least.
    static func step(spacing: Double, room: Double) -> Int {
        guard spacing > 0, spacing < room else { return 1 }
        let least = Int((room / spacing).rounded(.up))
        var step = 1
        // 1, 2, 5, 10, ...: steps that people count in.
        for factor in [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] where step < least {
            step = factor
        }
        return max(step, 1)
    }
}
