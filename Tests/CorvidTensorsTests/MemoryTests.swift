import CorvidTensors
import Foundation
import TestSupport
import Testing

@Suite struct MemoryTests {
    @Test("reads outside the bytes give nil, at any offset and count")
    func checkedReads() throws {
        let bytes = try Bytes([1, 2, 3, 4, 5])
        #expect(bytes.integer(at: 1, as: UInt32.self) == 0x0504_0302)
        for offset in [-1, 2, 5, Int.max, Int.min] {
            #expect(bytes.integer(at: offset, as: UInt32.self) == nil)
        }
        for (offset, count) in [(0, 6), (5, 1), (-1, 2), (1, -1), (Int.max, Int.max), (3, Int.max)] {
            #expect(bytes.slice(offset: offset, count: count) == nil)
            #expect(bytes.array(offset: offset, count: count) == nil)
        }
        #expect(bytes.slice(offset: 5, count: 0)?.count == 0)
        #expect(bytes.slice(offset: 1, count: 3)?.slice(offset: 1, count: 2)?.array == [3, 4])
        #expect(try Bytes([0xC3, 0x28]).string(offset: 0, count: 2) == nil)
    }

    @Test("a file that is missing, empty or a folder is refused with its path")
    func fileErrors() throws {
        let folder = NSTemporaryDirectory()
        #expect(throws: MemoryError.self) { try MappedFile(path: folder) }
        #expect(throws: MemoryError.file(path: "/nonexistent/x", reason: "No such file or directory")) {
            try MappedFile(path: "/nonexistent/x")
        }
        let empty = folder + "/corvid-empty-\(UUID().uuidString)"
        try Data().write(to: URL(fileURLWithPath: empty))
        defer { try? FileManager.default.removeItem(atPath: empty) }
        #expect(throws: MemoryError.file(path: empty, reason: "is empty")) { try MappedFile(path: empty) }
    }

    @Test("a mapped file that became shorter is noticed before it is read")
    func truncatedFile() throws {
        let path = NSTemporaryDirectory() + "/corvid-cut-\(UUID().uuidString)"
        try Data([UInt8](repeating: 7, count: 9000)).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try MappedFile(path: path)
        try file.checkSize()
        #expect(file.bytes.array(offset: 8999, count: 1) == [7])
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 100)
        try handle.close()
        #expect(throws: MemoryError.truncated(path: path, expected: 9000, found: 100)) {
            try file.checkSize()
        }
    }

    @Test("an arena hands out memory that does not overlap, and gives it back in order")
    func arena() throws {
        let arena = Arena()
        let first = try arena.matrix(rows: 3, columns: 5)
        for row in 0..<3 { for column in 0..<5 { first[row, column] = 1 } }
        let mark = arena.mark()
        for size in [1, 17, 1000, 700_000] {
            let next = try arena.matrix(rows: 2, columns: size)
            for row in 0..<2 { for column in 0..<size { next[row, column] = 2 } }
        }
        #expect(first.values == [Float](repeating: 1, count: 15))
        let held = arena.byteCount
        arena.reset(to: mark)
        for size in [1, 17, 1000, 700_000] { _ = try arena.matrix(rows: 2, columns: size) }
        #expect(arena.byteCount == held)
        arena.reset(keeping: 0)
        #expect(arena.byteCount == 0)
    }

    @Test("a tensor whose bytes do not fit its shape is refused, also when the shape overflows")
    func tensorSizes() throws {
        let bytes = try Bytes([UInt8](repeating: 0, count: 34))
        #expect(try Tensor(type: .q8_0, shape: [1, 32], bytes: bytes).count == 32)
        #expect(throws: TensorError.size(type: .f32, shape: [3, 3], expected: 36, found: 34)) {
            try Tensor(type: .f32, shape: [3, 3], bytes: bytes)
        }
        #expect(throws: TensorError.blocks(type: .q8_0, shape: [1, 33])) {
            try Tensor(type: .q8_0, shape: [1, 33], bytes: bytes)
        }
        for shape in [
            [Int.max, Int.max], [-1, 4], [1 << 40, 1 << 40, 4], [1 << 40, 1 << 40, 0], [0, 1 << 62, 4],
        ] {
            #expect(throws: TensorError.blocks(type: .f32, shape: shape)) {
                try Tensor(type: .f32, shape: shape, bytes: bytes)
            }
        }
        #expect(throws: TensorError.notWeights(type: .i64)) {
            try Tensor(type: .i64, shape: [1], bytes: try Bytes([UInt8](repeating: 0, count: 8))).floats()
        }
    }

    @Test("memory that the system does not have is an error, not a crash")
    func exhausted() {
        #expect(throws: MemoryError.self) { try AlignedBuffer(byteCount: 1 << 60) }
        #expect(throws: MemoryError.self) { try Matrix(rows: 1 << 40, columns: 1 << 40) }
    }
}
