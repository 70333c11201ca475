import Testing

@testable import CorvidModels

@Suite("Arithmetic on numbers from files")
struct CheckedArithmeticTests {
    @Test("A result that does not fit is nil")
    func overflow() {
        #expect(CheckedArithmetic.sum(.max, 1) == nil)
        #expect(CheckedArithmetic.sum(.max - 1, 1) == .max)
        #expect(CheckedArithmetic.product(1 << 32, 1 << 31) == nil)
        #expect(CheckedArithmetic.product(1 << 32, (1 << 31) - 1) == 9_223_372_032_559_808_512)
        #expect(CheckedArithmetic.size(UInt64(Int.max)) == .max)
        #expect(CheckedArithmetic.size(UInt64(Int.max) + 1) == nil)
    }

    @Test("A zero size does not hide the overflow of the others")
    func zero() {
        #expect(CheckedArithmetic.product(of: [0, 1 << 40, 1 << 40]) == nil)
        #expect(CheckedArithmetic.product(of: [1 << 40, 0, 1 << 20]) == 0)
        #expect(CheckedArithmetic.product(of: []) == 1)
        #expect(CheckedArithmetic.product(of: [3, -1]) == nil)
    }

    @Test("Aligning up stops at the largest integer")
    func alignment() {
        #expect(CheckedArithmetic.alignedUp(0, to: 32) == 0)
        #expect(CheckedArithmetic.alignedUp(1, to: 32) == 32)
        #expect(CheckedArithmetic.alignedUp(64, to: 32) == 64)
        #expect(CheckedArithmetic.alignedUp(.max, to: 32) == nil)
        #expect(CheckedArithmetic.alignedUp(.max - 30, to: 32) == nil)
        #expect(CheckedArithmetic.alignedUp(.max - 31, to: 32) == .max - 31)
        #expect(CheckedArithmetic.alignedUp(5, to: 0) == nil)
        #expect(CheckedArithmetic.alignedUp(-1, to: 8) == nil)
    }

    @Test("An extent ends inside or not at all")
    func extent() {
        #expect(CheckedArithmetic.end(offset: 4, count: 4, within: 8) == 8)
        #expect(CheckedArithmetic.end(offset: 4, count: 5, within: 8) == nil)
        #expect(CheckedArithmetic.end(offset: 8, count: 0, within: 8) == 8)
        #expect(CheckedArithmetic.end(offset: 9, count: 0, within: 8) == nil)
        #expect(CheckedArithmetic.end(offset: .max, count: .max, within: .max) == nil)
        #expect(CheckedArithmetic.end(offset: -1, count: 1, within: 8) == nil)
        #expect(CheckedArithmetic.end(offset: 1, count: -1, within: 8) == nil)
    }

    @Test("Sizes in blocks")
    func blocks() {
        #expect(CheckedArithmetic.byteCount(shape: [2, 64], blockSize: 32, blockBytes: 18) == 72)
        #expect(CheckedArithmetic.byteCount(shape: [2, 33], blockSize: 32, blockBytes: 18) == nil)
        #expect(CheckedArithmetic.byteCount(shape: [], blockSize: 1, blockBytes: 4) == 4)
        #expect(CheckedArithmetic.byteCount(shape: [1 << 61], blockSize: 1, blockBytes: 4) == nil)
        #expect(CheckedArithmetic.byteCount(shape: [3], blockSize: 0, blockBytes: 4) == nil)
    }
}
