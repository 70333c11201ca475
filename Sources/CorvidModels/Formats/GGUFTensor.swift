/// What a GGUF file says about one tensor.
struct GGUFTensor: Sendable {
    let name: String
    let type: GGMLType
    /// Sizes, the innermost last: the file's order reversed.
    let shape: [Int]
    let byteCount: Int
    /// As stored, from the start of the data.
    let storedOffset: UInt64
    /// From the start of the file, once ``placed(at:)``.
    private(set) var offset = 0

    func placed(at offset: Int) -> GGUFTensor {
        var copy = self
        copy.offset = offset
        return copy
    }

    /// Reads one entry of the list of tensors.
    init(index: Int, alignment: Int, _ cursor: inout ByteCursor) throws {
        let limits = GGUFFile.Limits.self
        let name = try cursor.text("the name of tensor \(index)", limit: limits.tensorNameBytes)
        let file = cursor.file
        let shown = FormatError.shown(name)

        let axes = try cursor.integer("the number of axes of tensor \(shown)", as: UInt32.self)
        guard axes <= UInt32(limits.axes) else {
            throw FormatError.limit(
                file: file, item: "the number of axes of tensor \(shown)", found: UInt64(axes),
                limit: limits.axes)
        }
        var sizes: [UInt64] = []
        for _ in 0..<axes { sizes.append(try cursor.integer("the shape of tensor \(shown)")) }
        let shape = try sizes.reversed().map { size in
            guard let size = CheckedArithmetic.size(size), size > 0 else {
                throw FormatError.shape(
                    file: file, tensor: name, found: "\(sizes)", expected: "sizes from 1 to 2^63 - 1")
            }
            return size
        }

        let number = try cursor.integer("the type of tensor \(shown)", as: UInt32.self)
        guard let type = GGMLType.table[number] else {
            throw FormatError.elementType(file: file, tensor: name, found: "number \(number)")
        }
        let columns = shape.last ?? 1
        guard columns % type.blockSize == 0 else {
            throw FormatError.shape(
                file: file, tensor: name, found: "\(shape)",
                expected: "rows of a multiple of \(type.blockSize) elements for \(type.name)")
        }
        guard
            let byteCount = CheckedArithmetic.byteCount(
                shape: shape, blockSize: type.blockSize, blockBytes: type.blockBytes)
        else {
            throw FormatError.shape(
                file: file, tensor: name, found: "\(shape)", expected: "a size of less than 2^63 bytes")
        }

        let offset = try cursor.integer("the offset of tensor \(shown)", as: UInt64.self)
        guard offset % UInt64(alignment) == 0 else {
            throw FormatError.misaligned(
                file: file, tensor: name, offset: Int(clamping: offset), alignment: alignment)
        }
        self.name = name
        self.type = type
        self.shape = shape
        self.byteCount = byteCount
        storedOffset = offset
    }
}
