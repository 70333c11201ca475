/// Letters by which tokens are chosen and which are probed.
public enum TokenScript: String, Sendable, CaseIterable, Codable {
    case latin, devanagari, arabic, cyrillic, hiragana

    /// Code points of the script, after lower-casing. Source: the authors' multilingual experiment.
    var points: ClosedRange<UInt32> {
        switch self {
        case .latin: 0x61...0x7A
        case .devanagari: 0x0900...0x0960
        case .arabic: 0x0600...0x06FF
        case .cyrillic: 0x0410...0x044F
        case .hiragana: 0x3041...0x309F
        }
    }

    /// Whether a text consists of letters of this script.
    func writes(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                points.contains($0.value) || (self == .latin && (0x41...0x5A).contains($0.value))
            }
    }
}
