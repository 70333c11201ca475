/// Damages a file of binary fields where they stand: the magic stays, and most counts and lengths do too.
public struct FieldMutator: Sendable {
    private let bytes: [UInt8]
    private let counts: [ByteWriter.Field]
    private let others: [ByteWriter.Field]
    private let texts: [Range<Int>]

    public init(_ file: ByteWriter) {
        bytes = file.bytes
        let isCount: (ByteWriter.Field) -> Bool = { field in
            field.meaning.hasPrefix("length") || field.meaning.hasSuffix("count")
                || field.meaning == "version"
        }
        counts = file.fields.filter(isCount)
        others = file.fields.filter { !isCount($0) }
        texts = file.texts.filter { !$0.isEmpty }
    }

    /// One to three fields or texts changed.
    public func mutate(using generator: inout SeededGenerator) -> [UInt8] {
        var result = bytes
        for _ in 0...generator.index(below: 3) {
            switch generator.index(below: 8) {
            case 0: set(counts, &result, &generator)
            case 1, 2: copy(&result, &generator)
            case 3, 4: changeText(&result, &generator)
            default: set(others, &result, &generator)
            }
        }
        return result
    }

    private func set(_ fields: [ByteWriter.Field], _ bytes: inout [UInt8], _ generator: inout SeededGenerator)
    {
        guard !fields.isEmpty else { return }
        let field = fields[generator.index(below: fields.count)]
        ByteMutator.setInteger(&bytes, at: field.offset, width: field.width, &generator)
    }

    /// Gives one field the value of another: types, sizes and offsets that are right elsewhere.
    private func copy(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !others.isEmpty else { return }
        let from = others[generator.index(below: others.count)]
        let to = others[generator.index(below: others.count)]
        for byte in 0..<min(from.width, to.width) { bytes[to.offset + byte] = bytes[from.offset + byte] }
    }

    /// Other bytes in a text, or the start of another text, without a change of length.
    private func changeText(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !texts.isEmpty else { return }
        let text = texts[generator.index(below: texts.count)]
        if generator.chance(3) {
            let other = texts[generator.index(below: texts.count)]
            for (to, from) in zip(text, other) { bytes[to] = bytes[from] }
        } else {
            let place = text.lowerBound + generator.index(below: text.count)
            bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        }
    }
}
