extension TokenizerComponents {
    /// The steps of a decoder.
    /// - Parameter isByteLevel: whether pieces are bytes; then no other decoder than `ByteLevel` fits.
    func decoder(_ json: JSON, isByteLevel: Bool) throws(TokenizerError) -> TokenDecoder {
        if json.isNull {
            if isByteLevel { throw unsupported("decoder", "null", "ByteLevel") }
            return TokenDecoder(steps: [.joined])
        }
        if isByteLevel {
            for item in try members(of: json, "decoders", field: "decoder") {
                switch try type(of: item, field: "decoder") {
                case "ByteLevel", "Fuse": break
                case let other:
                    throw unsupported("decoder.type", other, "ByteLevel, as the pre_tokenizer has it")
                }
            }
            return TokenDecoder(steps: [.bytes])
        }
        var steps: [TokenDecoder.Step] = []
        for item in try members(of: json, "decoders", field: "decoder") {
            let step = try decoderStep(item, try type(of: item, field: "decoder"))
            if case .strip(_, _, let end) = step, end > 0, steps.contains(.fuse) {
                throw unsupported("decoder.Strip.stop", "\(end) after Fuse", "0 there")
            }
            steps.append(step)
        }
        return TokenDecoder(steps: steps)
    }

    private func decoderStep(_ json: JSON, _ type: String) throws(TokenizerError) -> TokenDecoder.Step {
        let field = "decoder.\(type)"
        switch type {
        case "WordPiece":
            return .wordPiece(
                prefix: Array(try text(json, "prefix", default: "##", field: field).utf8),
                cleans: try flag(json, "cleanup", default: true, field: field))
        case "Metaspace":
            let (mark, prefix) = try metaspace(json, field)
            return .metaspace(mark: mark, dropsFirst: prefix != .never)
        case "ByteFallback": return .byteFallback
        case "Fuse": return .fuse
        case "Strip":
            let content = Array(try text(json, "content", field: field).utf8)
            guard !content.isEmpty else { throw unsupported("\(field).content", "\"\"", "one character") }
            return .strip(
                content, start: try count(json, "start", field: field),
                end: try count(json, "stop", field: field))
        case "Replace":
            guard let pattern = json["pattern"]?["String"]?.string, !pattern.isEmpty else {
                throw unsupported("\(field).pattern", json["pattern"]?.encoded() ?? "missing", "a String")
            }
            return .replace(
                Array(pattern.utf8), with: Array(try text(json, "content", field: field).utf8))
        case "BPEDecoder":
            return .wordEnd(Array(try text(json, "suffix", default: "</w>", field: field).utf8))
        case "ByteLevel":
            throw unsupported("decoder.type", "ByteLevel without ByteLevel in the pre_tokenizer", "both")
        case let other:
            throw unsupported(
                "decoder.type", other,
                "ByteLevel, WordPiece, Metaspace, ByteFallback, Fuse, Strip, Replace, BPEDecoder, Sequence")
        }
    }
}
