import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

@Suite("GGUF files")
struct GGUFFileTests {
    private func open(_ builder: GGUFBuilder) throws -> GGUFFile {
        try GGUFFile(bytes: Bytes(builder.bytes()), path: "m.gguf")
    }

    @Test("Values of every type are read back")
    func values() throws {
        let file = try open(
            GGUFBuilder(keys: [
                ("u8", .u8(200)), ("i8", .i8(-3)), ("u16", .u16(65_535)), ("i16", .i16(-4)),
                ("u32", .u32(.max)),
                ("i32", .i32(.min)), ("u64", .u64(1 << 62)), ("i64", .i64(.min)), ("f32", .f32(0.1)),
                ("f64", .f64(0.1)),
                ("true", .bool(1)), ("false", .bool(0)), ("text", .string("naïve")),
            ]))
        #expect(try file.integer("u8") == 200)
        #expect(try file.integer("i8") == -3)
        #expect(try file.integer("u16") == 65_535)
        #expect(try file.integer("i16") == -4)
        #expect(try file.integer("u32") == 4_294_967_295)
        #expect(try file.integer("i32") == -2_147_483_648)
        #expect(try file.integer("u64") == 1 << 62)
        #expect(try file.integer("i64") == .min)
        #expect(try file.float("f32") == Double(Float(0.1)))
        #expect(try file.float("f64") == 0.1)
        #expect(try file.bool("true") == true)
        #expect(try file.bool("false") == false)
        #expect(try file.string("text") == "naïve")
        #expect(file.keys.first == "u8" && file.keys.last == "text" && file.keys.count == 13)
        #expect(file.metadata.map(\.key) == file.keys)
        #expect(file.value("text") == .string("naïve"))
        #expect(file.value("i64") == .integer(.min))
    }

    @Test("Arrays are read back, empty ones too")
    func arrays() throws {
        let file = try open(
            GGUFBuilder(keys: [
                ("texts", .strings(["a", "", "日本"])), ("numbers", .integers([1, -2])),
                ("floats", .floats([0.5, -1])),
                ("none", .strings([])), ("doubles", .array(12, [.f64(0.25)])),
                ("bytes", .array(0, [.u8(7), .u8(255)])),
            ]))
        #expect(try file.strings("texts") == ["a", "", "日本"])
        #expect(try file.integers("numbers") == [1, -2])
        #expect(try file.integers("bytes") == [7, 255])
        #expect(try file.floats("floats") == [0.5, -1])
        #expect(try file.floats("doubles") == [0.25])
        #expect(try file.strings("none") == [])
        #expect(file.count(of: "texts") == 3)
        #expect(file.value("numbers") == .array(element: "i32", count: 2))
    }

    @Test("An absent key is nil, a key of another type is an error")
    func wrongTypes() throws {
        let file = try open(GGUFBuilder(keys: [("k", .u32(1)), ("a", .strings(["x"])), ("big", .u64(.max))]))
        #expect(try file.string("absent") == nil)
        #expect(try file.strings("absent") == nil)
        #expect(!file.has("absent") && file.has("k"))
        let expected = FormatError.type(file: "m.gguf", key: "k", found: "u32", expected: "string")
        #expect(throws: expected) { try file.string("k") }
        #expect(throws: FormatError.self) { try file.float("k") }
        #expect(throws: FormatError.self) { try file.bool("k") }
        #expect(throws: FormatError.self) { try file.strings("k") }
        #expect(throws: FormatError.self) { try file.integer("a") }
        #expect(throws: FormatError.self) { try file.integers("a") }
        #expect(throws: FormatError.self) { try file.integer("big") }
        #expect(file.value("big") == .unsigned(.max))
    }

    @Test("A tensor has its sizes reversed and its bytes as stored")
    func tensors() throws {
        let values: [Float] = [0, 1, 2, 3, 4, 5]
        var data = ByteWriter()
        for value in values { data.integer(value.bitPattern, "value") }
        let file = try open(
            GGUFBuilder(tensors: [
                .init("first", dimensions: [1], data: [0, 0, 128, 63]),
                .init("w", dimensions: [3, 2], data: data.bytes),
            ]))
        let tensor = try #require(try file.tensor(named: "w"))
        #expect(tensor.shape == [2, 3])
        #expect(tensor.type == .f32)
        #expect(tensor.bytes.array == data.bytes)
        #expect(try file.tensor(named: "first")?.bytes.array == [0, 0, 128, 63])
        #expect(try file.tensor(named: "absent") == nil)
        #expect(file.names == ["first", "w"])
        #expect(file.entry(named: "w")?.count == 6)
        #expect(file.entries.map(\.byteCount) == [4, 24])
    }

    @Test("Sizes of all types in the table agree with our own types")
    func typeTable() {
        #expect(GGMLType.table.count == 34)
        for entry in GGMLType.table.values {
            guard let type = entry.type else { continue }
            #expect(type.blockSize == entry.blockSize && type.blockBytes == entry.blockBytes, "\(entry.name)")
        }
        let quantised: [DType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K, .f32, .f16, .bf16]
        for type in quantised { #expect(GGMLType.table.values.contains { $0.type == type }) }
    }

    @Test("All parts of a split checkpoint are opened, whichever is named")
    func split() throws {
        let folder = try TemporaryFolder()
        for number in 0..<3 {
            let keys: [(String, GGUFBuilder.Value)] = [
                ("split.no", .u16(UInt16(number))), ("split.count", .u16(3)),
                ("split.tensors.count", .i32(2)),
            ]
            var builder = GGUFBuilder(
                keys: (number == 0 ? [("general.architecture", .string("llama"))] : []) + keys)
            if number > 0 {
                builder.tensors = [.init("t\(number)", dimensions: [1], data: [UInt8(number), 0, 0, 0])]
            }
            try folder.write(builder.bytes(), to: "m-0000\(number + 1)-of-00003.gguf")
        }
        for number in 1...3 {
            let file = try GGUFFile(path: folder.path(of: "m-0000\(number)-of-00003.gguf"))
            #expect(file.names == ["t1", "t2"])
            #expect(try file.string("general.architecture") == "llama")
            #expect(try file.tensor(named: "t2")?.bytes.array == [2, 0, 0, 0])
            #expect(file.files.count == 3)
        }
        #expect(try ModelFiles(path: folder.path).gguf?.names == ["t1", "t2"])
    }

    @Test(
        "A split checkpoint with a wrong or missing part is refused",
        arguments: ["count", "no", "total", "missing", "twice"])
    func wrongSplit(_ fault: String) throws {
        let folder = try TemporaryFolder()
        for number in 0..<2 {
            let isBad = number == 1
            let keys: [(String, GGUFBuilder.Value)] = [
                ("split.no", .u16(isBad && fault == "no" ? 0 : UInt16(number))),
                ("split.count", .u16(isBad && fault == "count" ? 3 : 2)),
                ("split.tensors.count", .i32(fault == "total" ? 5 : 2)),
            ]
            let name = fault == "twice" ? "t" : "t\(number)"
            let builder = GGUFBuilder(
                keys: keys, tensors: [.init(name, dimensions: [1], data: [0, 0, 0, 0])])
            if isBad && fault == "missing" { continue }
            try folder.write(builder.bytes(), to: "m-0000\(number + 1)-of-00002.gguf")
        }
        let path = folder.path(of: "m-00001-of-00002.gguf")
        if fault == "missing" {
            let error = try #require(throws: MemoryError.self) { try GGUFFile(path: path) }
            #expect(error.description.contains("m-00002-of-00002.gguf"))
        } else {
            let error = try #require(throws: FormatError.self) { try GGUFFile(path: path) }
            #expect(error.kind == (fault == "twice" ? .duplicate : .split), "\(error)")
        }
    }

    @Test("Names with control characters are escaped in messages and long ones cut")
    func shownNames() {
        #expect(FormatError.shown("a\u{1B}[31m\n") == "a\\u{1b}[31m\\u{a}")
        #expect(FormatError.shown(String(repeating: "x", count: 200)).count == 99)
        #expect(FormatError.shown("\u{202E}") == "\\u{202e}")
    }
}
