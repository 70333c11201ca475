import CorvidTensors

/// Tells what a file that begins wrongly probably is.
enum FileSignature {
    /// Throws unless the file may be of `format`.
    ///
    /// - Parameter isRight: whether the first bytes are those of the format.
    static func check(_ bytes: Bytes, file: String, format: String, isRight: Bool) throws {
        if isRight { return }
        let start = bytes.array(offset: 0, count: min(bytes.count, 64)) ?? []
        if start.starts(with: Array("version https://git-lfs".utf8)) {
            throw FormatError.gitPointer(file: file)
        }
        throw FormatError.signature(file: file, expected: format, found: describe(start))
    }

    private static let known: [(start: [UInt8], name: String)] = [
        (Array("GGUF".utf8), "'GGUF': a GGUF file"),
        (Array("FUGG".utf8), "'FUGG': a big-endian GGUF file"),
        (Array("ggml".utf8), "'ggml': a file older than GGUF"),
        (Array("lmgg".utf8), "'lmgg': a file older than GGUF"),
        (Array("fmgg".utf8), "'fmgg': a file older than GGUF"),
        (Array("tjgg".utf8), "'tjgg': a file older than GGUF"),
        ([0x50, 0x4B, 3, 4], "'PK': a ZIP archive, perhaps a PyTorch checkpoint"),
        ([0x80, 2, 0x8A, 10], "a pickle of old PyTorch checkpoints"),
        (Array("7z".utf8) + [0xBC, 0xAF, 0x27, 0x1C], "'7z': a 7z archive"),
        ([0x1F, 0x8B], "a gzip archive"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        (Array("<!DOCTYPE".utf8), "an HTML page, perhaps an error message of the download"),
        (Array("<!doctype".utf8), "an HTML page, perhaps an error message of the download"),
        (Array("<html".utf8), "an HTML page, perhaps an error message of the download"),
    ]

    private static func describe(_ start: [UInt8]) -> String {
        if let known = known.first(where: { start.starts(with: $0.start) }) { return known.name }
        if start.allSatisfy({ $0 == 0 }) { return "zeros: the download probably did not finish" }
        let hex = start.prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return "bytes " + hex.joined(separator: " ")
    }
}
