import CorvidKernels
import Foundation
import Testing

/// The block types with their names in the golden file.
let blockTypes: [(name: String, type: ck_type)] = [
    ("Q4_0", CK_Q4_0), ("Q4_1", CK_Q4_1), ("Q5_0", CK_Q5_0), ("Q5_1", CK_Q5_1), ("Q8_0", CK_Q8_0),
    ("Q4_K", CK_Q4_K), ("Q5_K", CK_Q5_K), ("Q6_K", CK_Q6_K),
]

/// Golden blocks and their values by the `gguf` Python package (Scripts/make-fixtures.py) and ggml
/// (Scripts/make-quantise-fixtures.py).
struct GoldenBlocks {
    private let data: Data
    private let header: [String: Any]
    private let start: Int

    init(_ name: String = "dequantise") throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Golden/\(name).safetensors").standardizedFileURL
        data = try Data(contentsOf: file)
        // safetensors: the length as u64, a JSON header {name: {data_offsets: [begin, end]}}, the bytes.
        let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let json = try JSONSerialization.jsonObject(with: data.subdata(in: 8..<(8 + length)))
        header = try #require(json as? [String: Any])
        start = 8 + length
    }

    func bytes(_ name: String) throws -> [UInt8] {
        let entry = try #require(header[name] as? [String: Any], "\(name) is missing")
        let offsets = try #require(entry["data_offsets"] as? [Int])
        return Array(data.subdata(in: (start + offsets[0])..<(start + offsets[1])))
    }

    func floats(_ name: String) throws -> [Float] {
        try bytes(name).withUnsafeBytes { raw in
            (0..<(raw.count / 4)).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}

/// Weights as numbers.
@Suite struct DequantizeTests {
    @Test("every block type decodes to the bits of the gguf package", arguments: blockTypes.map(\.name))
    func golden(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        let golden = try GoldenBlocks()
        let bytes = try golden.bytes(name + ".bytes")
        let expected = try golden.floats(name + ".values")
        let blocks = bytes.count / ck_block_bytes(type)
        #expect(blocks >= 50)
        #expect(expected.count == blocks * ck_block_size(type))
        InstructionSets.each { level in
            var found = [Float](repeating: .nan, count: expected.count)
            ck_dequantize(type, expected.count, bytes, &found)
            // Signs of zeros count as well.
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "level \(level.rawValue)")
        }
    }

    @Test("bf16 output is the f32 value rounded", arguments: blockTypes.map(\.name))
    func rounded(name: String) throws {
        let type = try #require(blockTypes.first { $0.name == name }).type
        let golden = try GoldenBlocks()
        let bytes = try golden.bytes(name + ".bytes")
        let values = try golden.floats(name + ".values")
        var expected = [UInt16](repeating: 0, count: values.count)
        ck_f32_to_bf16(values.count, values, &expected)
        InstructionSets.each { level in
            var found = [UInt16](repeating: 0, count: values.count)
            ck_dequantize_bf16(type, values.count, bytes, &found)
            #expect(found == expected, "level \(level.rawValue)")
        }
    }

    @Test("f32, f16 and bf16 rows are read from any address")
    func unaligned() {
        let values: [Float] = (0..<300).map { Float($0) - 150 }
        var half = [UInt16](repeating: 0, count: 300)
        ck_f32_to_f16(300, values, &half)
        var brain = [UInt16](repeating: 0, count: 300)
        ck_f32_to_bf16(300, values, &brain)
        let rows: [(ck_type, [UInt8])] = [
            (CK_F32, values.withUnsafeBytes { Array($0) }), (CK_F16, half.withUnsafeBytes { Array($0) }),
            (CK_BF16, brain.withUnsafeBytes { Array($0) }),
        ]
        for (type, row) in rows {
            let shifted = [0] + row
            var found = [Float](repeating: 0, count: 300)
            shifted.withUnsafeBytes { raw in
                ck_dequantize(type, 300, raw.baseAddress.map { $0 + 1 }, &found)
            }
            #expect(found == values, "type \(type.rawValue)")
        }
    }

    @Test("sizes of blocks are those of GGUF; an unknown type has none")
    func sizes() {
        let expected: [(ck_type, Int, Int)] = [
            (CK_F32, 1, 4), (CK_F16, 1, 2), (CK_BF16, 1, 2), (CK_Q4_0, 32, 18), (CK_Q4_1, 32, 20),
            (CK_Q5_0, 32, 22),
            (CK_Q5_1, 32, 24), (CK_Q8_0, 32, 34), (CK_Q4_K, 256, 144), (CK_Q5_K, 256, 176),
            (CK_Q6_K, 256, 210),
            (ck_type(rawValue: 99), 0, 0),
        ]
        for (type, size, bytes) in expected {
            #expect(ck_block_size(type) == size, "type \(type.rawValue)")
            #expect(ck_block_bytes(type) == bytes, "type \(type.rawValue)")
        }
    }
}
