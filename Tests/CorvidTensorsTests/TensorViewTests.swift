import CorvidTensors
import Testing

@Suite("Views that are copied")
struct TensorViewTests {
    private let bytes = Result { try Bytes((0..<48).map { UInt8($0) }) }

    @Test("The copy has the element at Σ index · stride for every index")
    func elements() throws {
        let bytes = try bytes.get()
        for (type, size) in [(DType.i8, 1), (.f16, 2), (.f32, 4), (.f64, 8)] {
            for (shape, strides) in [
                ([2, 3], [1, 2]), ([3, 2], [1, 3]), ([3], [2]), ([2, 1, 2], [2, 7, 1]), ([2, 3], [0, 1]),
                ([], []),
                ([2, 2, 1], [1, 3, 9]), ([6, 1], [1, 1]),
            ] {
                let tensor = try Tensor(type: type, shape: shape, copying: bytes, strides: strides)
                var expected: [UInt8] = []
                for position in 0..<tensor.count {
                    var rest = position
                    var element = 0
                    for (axis, stride) in zip(shape, strides).reversed() {
                        element += rest % axis * stride
                        rest /= axis
                    }
                    expected += (0..<size).map { UInt8(element * size + $0) }
                }
                #expect(tensor.shape == shape && tensor.type == type)
                #expect(tensor.bytes.array == expected, "\(type) \(shape) \(strides)")
            }
        }
    }

    @Test("A size of 0 gives no elements, whatever the strides")
    func empty() throws {
        let tensor = try Tensor(type: .f32, shape: [0, 3], copying: bytes.get(), strides: [1_000, 1])
        #expect(tensor.bytes.count == 0)
    }

    @Test("A view that leaves its bytes is refused, also by an overflow or backwards")
    func refusals() throws {
        let bytes = try bytes.get()
        for (shape, strides) in [
            ([13], [1]), ([2], [12]), ([3, 4], [5, 1]), ([2], [-1]), ([2, 2], [Int.max, Int.max]),
            ([3], [Int.max / 2 + 1]), ([2, 2], [1]), ([2], []),
        ] {
            #expect(throws: TensorError.view(type: .f32, shape: shape, strides: strides, bytes: 48)) {
                try Tensor(type: .f32, shape: shape, copying: bytes, strides: strides)
            }
        }
        #expect(throws: TensorError.self) {
            try Tensor(type: .q4_0, shape: [32], copying: bytes, strides: [1])
        }
    }
}
