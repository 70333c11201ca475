import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

@Suite("Safetensors files")
struct SafetensorsTests {
    @Test("Tensors, their order and the metadata are read back")
    func reading() throws {
        let bytes = SafetensorsBuilder.floats([("b", [2, 3]), ("a", [1]), ("scalar", [])])
        let file = try SafetensorsFile(bytes: Bytes(bytes), path: "m.safetensors")
        #expect(file.names == ["b", "a", "scalar"])
        #expect(file.metadata == ["format": "pt"])
        let tensor = try #require(try file.tensor(named: "b"))
        #expect(tensor.shape == [2, 3])
        #expect(try tensor.floats() == [0, 1, 2, 3, 4, 5])
        #expect(try file.tensor(named: "scalar")?.shape == [])
        #expect(try file.tensor(named: "absent") == nil)
        #expect(file.entry(named: "a")?.typeName == "F32")
    }

    @Test("Types that cannot be computed with are listed, and refused when asked for")
    func unsupported() throws {
        let header = #"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#
        let bytes = SafetensorsBuilder.file(header: header, data: [UInt8](repeating: 0, count: 8))
        let file = try SafetensorsFile(bytes: Bytes(bytes), path: "m.safetensors")
        #expect(file.entries.map(\.typeName) == ["U64"])
        #expect(file.entries.map(\.type) == [nil])
        let expected = FormatError.elementType(file: "m.safetensors", tensor: "a", found: "U64")
        #expect(throws: expected) { try file.tensor(named: "a") }
    }

    @Test("What is written is read back, whatever the order, with the same bytes")
    func writing() throws {
        let folder = try TemporaryFolder()
        let tensors: [(String, Tensor)] = [
            ("logits", try Tensor([1, -2, 3.5, 0], shape: [2, 2])),
            ("flags", try Tensor(type: .bool, shape: [3], bytes: Bytes([1, 0, 1]))),
            ("half", try Tensor(type: .bf16, shape: [1], bytes: Bytes([0x80, 0x3F]))),
            ("none", try Tensor(type: .f32, shape: [0, 4], bytes: Bytes([]))),
        ]
        let first = folder.path(of: "first.safetensors")
        let second = folder.path(of: "second.safetensors")
        try SafetensorsWriter.write(tensors, metadata: ["b": "é\"", "a": ""], to: first)
        try SafetensorsWriter.write(tensors.reversed(), metadata: ["a": "", "b": "é\""], to: second)
        let bytes = try MappedFile(path: first).bytes.array
        #expect(try MappedFile(path: second).bytes.array == bytes)
        #expect(bytes[0] % 8 == 0, "the data is aligned")
        let file = try SafetensorsFile(path: first)
        #expect(file.metadata == ["a": "", "b": "é\""])
        #expect(Set(file.names) == ["logits", "flags", "half", "none"])
        for (name, tensor) in tensors {
            let found = try #require(try file.tensor(named: name))
            #expect(found.type == tensor.type && found.shape == tensor.shape)
            #expect(found.bytes.array == tensor.bytes.array)
        }
        #expect(try folder.names() == ["first.safetensors", "second.safetensors"])
    }

    @Test("A write that fails leaves the old file and nothing else")
    func failedWrite() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "m.safetensors")
        let twice = [("a", try Tensor([1], shape: [1])), ("a", try Tensor([2], shape: [1]))]
        #expect(throws: WriteError.name(file: path, tensor: "a")) {
            try SafetensorsWriter.write(twice, to: path)
        }
        let block = [
            ("q", try Tensor(type: .q8_0, shape: [32], bytes: Bytes([UInt8](repeating: 0, count: 34))))
        ]
        #expect(throws: WriteError.elementType(file: path, tensor: "q", found: .q8_0)) {
            try SafetensorsWriter.write(block, to: path)
        }
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try AtomicFile.write(to: path) { file in
                try file.write([1, 2, 3])
                throw Stop()
            }
        }
        #expect(try folder.names() == ["m.safetensors"])
        #expect(try MappedFile(path: path).bytes.array == Array("old".utf8))
        let error = try #require(throws: WriteError.self) {
            try SafetensorsWriter.write([], to: folder.path(of: "absent/m.safetensors"))
        }
        #expect(error.description.contains("absent/m.safetensors"))
    }
}
