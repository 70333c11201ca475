/// Why a file was refused: it does not keep to its format, or asks for something Corvid cannot do.
///
/// Every case names the file; `description` says where, what was found, what was expected and what to do.
public enum FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file does not begin as its format does.
    case signature(file: String, expected: String, found: String)
    /// The file is a Git LFS pointer: a few lines of text that stand for the real file.
    case gitPointer(file: String)
    case version(file: String, found: UInt64, supported: String)
    /// The file ends inside `item`, which starts at `offset`.
    case truncated(file: String, item: String, offset: Int, needed: UInt64, available: Int)
    /// A count or length is above what Corvid reads.
    case limit(file: String, item: String, found: UInt64, limit: Int)
    /// A field or key has a value that the format does not allow.
    case value(file: String, item: String, found: String, expected: String)
    /// A key holds another type than its reader needs.
    case type(file: String, key: String, found: String, expected: String)
    /// A key or tensor occurs twice.
    case duplicate(file: String, item: String)
    /// Bytes that should be text are not UTF-8.
    case text(file: String, item: String, offset: Int)
    /// The JSON of a header or file cannot be read.
    case json(file: String, reason: String)
    /// A tensor has a type that Corvid cannot compute with.
    case elementType(file: String, tensor: String, found: String)
    /// A tensor's sizes are not possible: too many axes, overflow, or blocks that do not divide a row.
    case shape(file: String, tensor: String, found: String, expected: String)
    /// A tensor's bytes are not as many as its shape and type need.
    case size(file: String, tensor: String, found: Int, expected: Int)
    /// A tensor's bytes lie outside the data of the file, which has `bound` bytes.
    case range(file: String, tensor: String, offset: UInt64, count: UInt64, bound: Int)
    case misaligned(file: String, tensor: String, offset: Int, alignment: Int)
    case overlap(file: String, tensor: String, other: String, offset: Int)
    /// Bytes `from..<to` of the data belong to no tensor.
    case hole(file: String, from: Int, to: Int)
    /// A part of a split checkpoint does not fit the others.
    case split(file: String, key: String, found: String, expected: String)
    /// An archive, or an entry of it, that is not as checkpoints are.
    case archive(file: String, item: String, reason: String)
    /// A pickle has an instruction that saved weights do not need.
    case instruction(file: String, name: String, offset: Int)
    /// A pickle asks for something that is no part of saved weights.
    case global(file: String, name: String, offset: Int)
    /// An instruction of a pickle meets other values than it works on.
    case operand(file: String, instruction: String, offset: Int, found: String, expected: String)
    /// A view leaves its storage, which has `bound` elements.
    case view(file: String, tensor: String, offset: Int, shape: [Int], strides: [Int], bound: Int)
    /// A pickle is right, but not a dict of tensors by name. `key` is nil for the whole.
    case weights(file: String, key: String?, found: String)

    public var description: String {
        switch self {
        case .signature(let file, let expected, let found):
            return "\(file): is no \(expected) file: it begins with \(found). "
                + "Fetch it again or pass another file."
        case .gitPointer(let file):
            return "\(file): is a Git LFS pointer, not the file itself. "
                + "Run 'git lfs pull' there, or download it."
        case .version(let file, let found, let supported):
            return "\(file): has format version \(found), supported: \(supported). "
                + "Convert it with a newer tool."
        case .truncated(let file, let item, let offset, let needed, let available):
            return "\(file): ends inside \(item), which needs \(needed) bytes at offset \(offset); "
                + "\(available) are left. The download is probably incomplete: fetch it again."
        case .limit(let file, let item, let found, let limit):
            return "\(file): \(item) is \(found), at most \(limit) is read. "
                + "The file is damaged or not meant to be run."
        case .value(let file, let item, let found, let expected):
            return "\(file): \(item) is \(found), expected \(expected). The file is damaged: fetch it again."
        case .type(let file, let key, let found, let expected):
            return "\(file): key \(Self.shown(key)) is of type \(found), expected \(expected). "
                + "Convert the model again with a current tool."
        case .duplicate(let file, let item):
            return "\(file): \(item) occurs twice, so that its meaning is unclear. Do not use this file."
        case .text(let file, let item, let offset):
            return "\(file): \(item) at offset \(offset) is not UTF-8 text. "
                + "The file is damaged: fetch it again."
        case .json(let file, let reason):
            return "\(file): \(reason). The file is damaged: fetch it again."
        case .elementType(let file, let tensor, let found):
            return "\(file): tensor \(Self.shown(tensor)) has type \(found), which cannot be computed with. "
                + "Use a file in f32, f16, bf16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K."
        case .shape(let file, let tensor, let found, let expected):
            return "\(file): tensor \(Self.shown(tensor)) has shape \(found), expected \(expected). "
                + "The file is damaged: fetch it again."
        case .size(let file, let tensor, let found, let expected):
            return "\(file): tensor \(Self.shown(tensor)) has \(found) bytes, its shape and type need "
                + "\(expected). The file is damaged: fetch it again."
        case .range(let file, let tensor, let offset, let count, let bound):
            return "\(file): tensor \(Self.shown(tensor)) has \(count) bytes at offset \(offset), "
                + "outside the \(bound) bytes of data. The download is probably incomplete: fetch it again."
        case .misaligned(let file, let tensor, let offset, let alignment):
            return "\(file): tensor \(Self.shown(tensor)) begins at offset \(offset), expected a multiple of "
                + "\(alignment). The file is damaged: fetch it again."
        case .overlap(let file, let tensor, let other, let offset):
            return "\(file): tensor \(Self.shown(tensor)) at offset \(offset) overlaps tensor "
                + "\(Self.shown(other)). Do not use this file."
        case .hole(let file, let from, let to):
            return "\(file): bytes \(from)..<\(to) of the data belong to no tensor. Do not use this file."
        case .split(let file, let key, let found, let expected):
            return "\(file): \(key) is \(found), expected \(expected). "
                + "Its parts belong to different models or one is missing: fetch all of them again."
        case .archive(let file, let item, let reason):
            return "\(file): \(item) \(reason). Fetch it again, or save the weights again with torch.save."
        case .instruction(let file, let name, let offset):
            return "\(file): the pickle's instruction \(name) at byte \(offset) is none that weights need; "
                + "nothing was run. Do not trust this file: fetch model.safetensors instead."
        case .global(let file, let name, let offset):
            return "\(file): the pickle asks for \(Self.shown(name)) at byte \(offset), which is no part of "
                + "weights; nothing was run. Unless you know why, do not trust it: save state_dict() alone."
        case .operand(let file, let instruction, let offset, let found, let expected):
            return "\(file): the pickle's instruction \(instruction) at byte \(offset) found \(found), "
                + "expected \(expected). The file is damaged or made to harm: fetch it again."
        case .view(let file, let tensor, let offset, let shape, let strides, let bound):
            return
                "\(file): tensor \(Self.shown(tensor)) with offset \(offset), "
                + "shape \(Self.shown("\(shape)")) and strides \(Self.shown("\(strides)")) leaves its storage "
                + "of \(bound) elements. Do not use this file."
        case .weights(let file, let key, let found):
            let place = key.map { "key \(Self.shown($0)) " } ?? ""
            return
                "\(file): \(place)is \(found), expected a dict of tensors by name, bare or under state_dict "
                + "or model. Save the weights alone: torch.save(model.state_dict(), 'pytorch_model.bin')."
        }
    }

    /// A name from a file, made safe to print: control characters escaped, long ones cut.
    static func shown(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars.prefix(96) {
            let category = scalar.properties.generalCategory
            if category == .control || category == .format || category == .lineSeparator
                || category == .paragraphSeparator
            {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return name.unicodeScalars.count > 96 ? text + "..." : text
    }
}

extension FormatError {
    /// The cases by name, for tests that count which of them were seen.
    public enum Kind: String, CaseIterable, Sendable {
        case signature, gitPointer, version, truncated, limit, value, type, duplicate, text, json, elementType
        case shape, size, range, misaligned, overlap, hole, split
        case archive, instruction, global, operand, view, weights
    }

    public var kind: Kind {
        switch self {
        case .signature: .signature
        case .gitPointer: .gitPointer
        case .version: .version
        case .truncated: .truncated
        case .limit: .limit
        case .value: .value
        case .type: .type
        case .duplicate: .duplicate
        case .text: .text
        case .json: .json
        case .elementType: .elementType
        case .shape: .shape
        case .size: .size
        case .range: .range
        case .misaligned: .misaligned
        case .overlap: .overlap
        case .hole: .hole
        case .split: .split
        case .archive: .archive
        case .instruction: .instruction
        case .global: .global
        case .operand: .operand
        case .view: .view
        case .weights: .weights
        }
    }
}
