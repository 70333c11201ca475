import Foundation

extension TokenizerComponents {
    /// The steps of a normaliser.
    func normalizer(_ json: JSON) throws(TokenizerError) -> Normalizer {
        if json.isNull { return Normalizer() }
        var result = Normalizer()
        for item in try members(of: json, "normalizers", field: "normalizer") {
            result.steps += try normalizerSteps(item, try type(of: item, field: "normalizer"))
        }
        return result
    }

    private func normalizerSteps(_ json: JSON, _ type: String) throws(TokenizerError) -> [Normalizer.Step] {
        let field = "normalizer.\(type)"
        switch type {
        case "NFC": return [.composed]
        case "NFD": return [.decomposed]
        case "NFKC": return [.compatiblyComposed]
        case "NFKD": return [.compatiblyDecomposed]
        case "Lowercase": return [.lowercase]
        case "StripAccents": return [.stripAccents]
        case "Nmt": return [.cleanForTranslation]
        case "Strip":
            return [
                .strip(
                    left: try flag(json, "strip_left", default: true, field: field),
                    right: try flag(json, "strip_right", default: true, field: field))
            ]
        case "Prepend": return [.prepend(Array(try text(json, "prepend", field: field).utf8))]
        case "Replace": return [try replacement(json, field)]
        case "BertNormalizer":
            let lowercases = try flag(json, "lowercase", default: true, field: field)
            return [
                .bert(
                    BertNormalization(
                        cleans: try flag(json, "clean_text", default: true, field: field),
                        isolatesChinese: try flag(json, "handle_chinese_chars", default: true, field: field),
                        stripsAccents: try flag(json, "strip_accents", default: lowercases, field: field),
                        lowercases: lowercases))
            ]
        case "Precompiled":
            let text = try text(json, "precompiled_charsmap", field: field)
            guard let blob = Data(base64Encoded: text), let map = CharacterMap(blob) else {
                throw .unexpected(
                    field: "\(field).precompiled_charsmap", found: "text whose lengths do not fit",
                    expected: "a map of characters in base 64", file: file)
            }
            return [.map(map)]
        case let other:
            throw unsupported(
                "normalizer.type", other,
                "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Nmt, Prepend, Replace, BertNormalizer, Precompiled, Sequence"
            )
        }
    }

    private func replacement(_ json: JSON, _ field: String) throws(TokenizerError) -> Normalizer.Step {
        let content = Array(try text(json, "content", field: field).utf8)
        if let pattern = json["pattern"]?["String"]?.string, !pattern.isEmpty {
            return .replace(Array(pattern.utf8), with: content)
        }
        if json["pattern"]?["Regex"]?.string == " {2,}" { return .collapse(UInt8(ascii: " "), to: content) }
        throw unsupported(
            "\(field).pattern", json["pattern"]?.encoded() ?? "missing", "a String, the Regex \" {2,}\"")
    }
}
