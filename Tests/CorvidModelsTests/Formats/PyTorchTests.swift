import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

/// Checkpoints as `torch.save` writes them, those of `Scripts/make-pytorch-fixtures.py`.
@Suite("PyTorch checkpoints")
struct PyTorchTests {
    static let golden = Result { try SafetensorsFile(path: Fixtures.path("PyTorch/golden.safetensors")) }

    static let files = [
        "module", "f16", "bf16", "types", "types-without-kernel", "views", "transposed", "shared",
        "parameters",
        "wrapped", "wrapped-model", "beside", "many", "protocol-3", "protocol-4", "protocol-5", "old",
        "old-views",
        "old-wrapped-4",
    ]

    /// Compares all tensors of a checkpoint with those that PyTorch has in it.
    private func expectGolden(_ source: any TensorSource, _ name: String) throws {
        let golden = try Self.golden.get()
        let prefix = name + "/"
        let expected = golden.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        #expect(!expected.isEmpty && source.names.sorted() == expected.sorted())
        for entry in source.entries {
            let reference = try #require(golden.entry(named: prefix + entry.name))
            #expect(entry.shape == reference.shape && entry.byteCount == reference.byteCount, "\(entry.name)")
            #expect(entry.typeName == reference.typeName && entry.type == reference.type, "\(entry.name)")
            guard entry.type != nil else { continue }
            let tensor = try #require(try source.tensor(named: entry.name))
            #expect(tensor.type == reference.type && tensor.shape == reference.shape, "\(entry.name)")
            #expect(
                tensor.bytes.array == (try golden.tensor(named: prefix + entry.name))?.bytes.array,
                "\(name): \(entry.name)")
        }
    }

    @Test("Every tensor has the bytes that PyTorch gives, however it was saved", arguments: files)
    func bytes(_ name: String) throws {
        let path = Fixtures.path("PyTorch/\(name).bin")
        let file = try PyTorchFile(path: path)
        try expectGolden(file, name)
        try expectGolden(PyTorchFile(bytes: Bytes(Fixtures.bytes("PyTorch/\(name).bin")), path: path), name)
        #expect(file.entries.allSatisfy { $0.file == path })
        #expect(try file.tensor(named: "absent") == nil && file.entry(named: "absent") == nil)
        #expect(throws: Never.self) { try file.checkSize() }
    }

    @Test("Names come in the order of the state dict")
    func order() throws {
        let file = try PyTorchFile(path: Fixtures.path("PyTorch/module.bin"))
        #expect(file.names == ["0.weight", "1.weight", "1.bias", "2.weight", "2.bias"])
    }

    @Test("Types that cannot be computed with are listed, and asking for their numbers names them")
    func typesWithoutKernel() throws {
        let path = Fixtures.path("PyTorch/types-without-kernel.bin")
        let file = try PyTorchFile(path: path)
        for (name, type) in [("u16", "U16"), ("f8", "F8_E4M3"), ("c64", "C64")] {
            #expect(throws: FormatError.elementType(file: path, tensor: name, found: type)) {
                try file.tensor(named: name)
            }
        }
    }

    @Test("Shards and their index make one checkpoint")
    func shards() throws {
        let files = try ModelFiles(path: Fixtures.path("PyTorch/sharded"))
        #expect(files.format == .pytorch && files.layout == .huggingFace && files.weightFiles.count == 2)
        try expectGolden(files.tensors, "sharded")
    }

    @Test("A shard that became shorter after it was opened is noticed before it is used")
    func truncatedLater() throws {
        let folder = try TemporaryFolder()
        try folder.write(Fixtures.bytes("PyTorch/old.bin"), to: "m.bin")
        let file = try PyTorchFile(path: folder.path(of: "m.bin"))
        try folder.truncate("m.bin", to: 100)
        #expect(throws: MemoryError.self) { try file.checkSize() }
    }

    @Test(
        "A model gives the same bits from safetensors, from an archive and from the old stream",
        arguments: [
            "gptj", "gptj-old",
        ])
    func model(_ name: String) throws {
        let folder = try TemporaryFolder()
        for file in ["config.json", "tokenizer.json"] {
            try folder.write(Fixtures.bytes("Models/gptj/\(file)"), to: file)
        }
        try folder.write(Fixtures.bytes("PyTorch/\(name).bin"), to: "pytorch_model.bin")
        let golden = try GoldenModel("gptj")
        for type in [nil, DType.f32, .bf16, .q8_0, .i8] {
            let options = LoadOptions(threads: 2, computeType: type)
            let model = try Model.load(path: folder.path, options: options)
            let other = try Model.load(path: Fixtures.path("Models/gptj"), options: options)
            let logits = try Schedule().logits(model, golden.ids)
            let expected = try Schedule().logits(other, golden.ids)
            #expect(logits.map { $0.map(\.bitPattern) } == expected.map { $0.map(\.bitPattern) })
        }
    }

    // MARK: What is refused

    private func open(_ pickle: [UInt8], isOld: Bool = false) throws -> PyTorchFile {
        let builder = PyTorchBuilder(PickleBuilder(), storages: [("0", 4, [UInt8](0..<16))], isOld: isOld)
        return try PyTorchFile(bytes: Bytes(builder.build(pickle: pickle).bytes), path: "m.bin")
    }

    /// Instructions that make values, by Python's names.
    private static let allowed: Set<UInt8> = [
        0x28, 0x29, 0x2E, 0x47, 0x4A, 0x4B, 0x4D, 0x4E, 0x51, 0x52, 0x58, 0x5D, 0x61, 0x62, 0x63, 0x65, 0x68,
        0x6A,
        0x71, 0x72, 0x73, 0x74, 0x75, 0x7D, 0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x93, 0x94, 0x95,
    ]

    @Test(
        "Every byte that is no instruction of saved weights is refused with its name and place, wherever it stands",
        arguments: [false, true])
    func otherInstructions(isOld: Bool) throws {
        var names: Set<String> = []
        for code in UInt8.min...UInt8.max where !Self.allowed.contains(code) {
            for before in ["", "}", "N(", "]N"] {
                let pickle = [0x80, 2] + Array(before.utf8) + [code] + [UInt8](repeating: 0x2E, count: 12)
                let error = try #require(throws: FormatError.self) { try open(pickle, isOld: isOld) }
                guard case .instruction("m.bin", let name, let offset) = error else {
                    Issue.record("\(code): \(error)")
                    continue
                }
                names.insert(name)
                // Behind the header of the entry and its name, or behind the first three pickles.
                let start = isOld ? 15 + 6 + 24 : 30 + 10
                #expect(offset == start + 2 + before.utf8.count)
            }
        }
        #expect(names.count == 256 - Self.allowed.count)
        #expect(names.isSuperset(of: ["INST", "OBJ", "NEWOBJ", "EXT1", "PERSID", "LONG4", "BINUNICODE8"]))
    }

    @Test(
        "A bomb of values, of memory or of length ends at its limit, with the number of the limit",
        arguments: [
            ("stack", PyTorchFile.Limits.stack), ("memo", PyTorchFile.Limits.memo),
            ("values", PyTorchFile.Limits.values),
            ("length", PyTorchFile.Limits.pickleBytes),
        ])
    func bomb(_ kind: String, _ limit: Int) throws {
        var pickle: [UInt8] = [0x80, 4]
        switch kind {
        case "stack": pickle += [UInt8](repeating: 0x4E, count: limit + 1)
        case "memo": pickle += [0x4E] + [UInt8](repeating: 0x94, count: limit + 1)
        case "values":
            // Lists into a list, one after another: the stack stays low.
            pickle += [0x5D]
            for _ in 0...limit / 2 { pickle += [0x5D, 0x61] }
            pickle += [0x30]
        default:
            let text = [0x58, 0, 0, 0x10, 0] + [UInt8](repeating: 0x61, count: 1 << 20)
            for _ in 0...64 { pickle += text }
        }
        let error = try #require(throws: FormatError.self) { try open(pickle + [0x2E]) }
        if kind == "values" {
            // Half of the limit is read to its end, and only the instruction behind it is refused.
            #expect(error.kind == .instruction, "\(error)")
            pickle.removeLast()
            for _ in 0...limit / 2 { pickle += [0x5D, 0x61] }
            let error = try #require(throws: FormatError.self) { try open(pickle + [0x2E]) }
            #expect(error.kind == .limit && error.description.contains("at most \(limit)"), "\(error)")
        } else {
            #expect(error.kind == .limit && error.description.contains("at most \(limit)"), "\(error)")
        }
    }

    @Test("An archive has at most as many entries as the limit says")
    func entries() throws {
        let limit = PyTorchFile.Limits.entries
        let many = (0...limit).map { ("x\($0)", 0, [UInt8]()) }
        let builder = PyTorchBuilder(PickleBuilder(), storages: many)
        // The 16-bit count of the end record overflows, and the 64-bit one counts.
        let error = try #require(throws: FormatError.self) {
            try PyTorchFile(bytes: Bytes(builder.build().bytes), path: "m.bin")
        }
        #expect(error.kind == .limit && error.description.contains("at most \(limit)"), "\(error)")
    }

    @Test("A list that holds itself is no trap, and no weight")
    func cycle() throws {
        var pickle = PickleBuilder()
        pickle.add("}(")
        pickle.text("w")
        pickle.tensor("0", type: "FloatStorage", elements: 4, shape: [4], strides: [1])
        pickle.text("loop")
        pickle.add("]")
        pickle.add(UInt8(ascii: "q"), [0])
        pickle.add(UInt8(ascii: "h"), [0])
        pickle.add("au")
        let file = try open(pickle.bytes)
        #expect(file.names == ["w"])
        #expect(try file.tensor(named: "w")?.bytes.array == [UInt8](0..<16))
    }
}
