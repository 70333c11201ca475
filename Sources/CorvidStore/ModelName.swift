/// Which words may name a model. A name becomes part of a path, so it must not lead out of its folder.
enum ModelName {
    /// Letters, digits, `.`, `_` and `-`, not starting with a dot, at most 96 of them (the hub's rule).
    static func isComponent(_ name: some StringProtocol) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 96, !name.hasPrefix(".") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default:
                false
            }
        }
    }

    /// The two words of `ORG/NAME`, or nil.
    static func repository(_ name: String) -> (organisation: String, name: String)? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ isComponent($0) }) else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// Whether a person who wrote this meant a file or folder.
    static func looksLikePath(_ name: String) -> Bool {
        if name.hasPrefix("/") || name.hasPrefix(".") || name.hasPrefix("~") || name.hasSuffix("/") {
            return true
        }
        let lower = name.lowercased()
        if [".gguf", ".safetensors", ".bin", ".json"].contains(where: { lower.hasSuffix($0) }) {
            return true
        }
        return name.split(separator: "/").count > 2
    }

    /// The candidate that differs from `name` in the fewest letters, if it is close enough to be meant.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(128))
        let scored = candidates.map { candidate -> (name: String, distance: Int) in
            let other = Array(candidate.lowercased().utf8.prefix(128))
            // A beginning of a long name is a likely way to mean it.
            let isPart = wanted.count >= 3 && candidate.lowercased().contains(name.lowercased())
            return (candidate, isPart ? 1 : editDistance(wanted, other))
        }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, wanted.count / 3) ? best.name : nil
    }

    /// Insertions, deletions and replacements that turn `a` into `b` (Levenshtein 1966).
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
