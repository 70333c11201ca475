import CorvidKernels

extension Linear {
    /// Several products of one input in one parallel region: outs[i] = x Wᵢᵀ + bᵢ.
    ///
    /// - Parameters:
    ///   - linears: matrices with the same number of inputs.
    ///   - outs: `[rows, outputs]` each.
    ///   - epilogue: called after the outputs `range` of linear `index` are complete for all rows, on the
    ///     worker that made them; it may read and write those columns only.
    public static func multiply(
        _ input: ProductInput, by linears: [Linear], into outs: [Matrix], workers: Workers,
        epilogue: (_ index: Int, _ range: Range<Int>) -> Void = { _, _ in }
    ) throws {
        let run = try ProductRun(input: input, linears: linears, workers: workers)
        let tasks = OutputTasks(linears: linears, rows: input.matrix.rows, threads: workers.threads)
        workers.forEach(tasks.count) { task, worker in
            let (index, range) = tasks[task]
            run.compute(linears[index], range, into: outs[index], worker: worker)
            epilogue(index, range)
        }
        try run.checkForFailure()
    }

    /// Two products whose outputs are joined element by element (a gated MLP): `epilogue` sees the same range
    /// of both complete.
    public static func multiplyPair(
        _ input: ProductInput, by first: Linear, and second: Linear, into outs: (Matrix, Matrix),
        workers: Workers, epilogue: (_ range: Range<Int>) -> Void
    ) throws {
        precondition(first.outputs == second.outputs, "a pair of products must have equal outputs")
        let run = try ProductRun(input: input, linears: [first, second], workers: workers)
        let tasks = OutputTasks(linears: [first], rows: input.matrix.rows, threads: workers.threads)
        workers.forEach(tasks.count) { task, worker in
            let (_, range) = tasks[task]
            run.compute(first, range, into: outs.0, worker: worker)
            run.compute(second, range, into: outs.1, worker: worker)
            epilogue(range)
        }
        try run.checkForFailure()
    }
}

/// Division of the outputs of several products into ranges, each a multiple of 16 rows of weights.
private struct OutputTasks {
    private var tasks: [(index: Int, range: Range<Int>)] = []
    var count: Int { tasks.count }
    subscript(task: Int) -> (index: Int, range: Range<Int>) { tasks[task] }

    init(linears: [Linear], rows: Int, threads: Int) {
        let total = linears.reduce(0) { $0 + $1.outputs }
        for (index, linear) in linears.enumerated() {
            // A few tasks per thread even out threads of unequal speed. Panels that must be converted first
            // stay small enough for the second-level cache.
            var size = threads == 1 ? linear.outputs : total / (threads * 4)
            if linear.needsPanel || rows > 8 { size = min(size, max(16, 131_072 / max(1, linear.inputs))) }
            size = max(16, (size + 15) / 16 * 16)
            var start = 0
            while start < linear.outputs {
                let end = min(linear.outputs, start + size)
                tasks.append((index, start..<end))
                start = end
            }
        }
    }
}

extension Linear {
    /// Whether weights must be converted before the product reads them.
    fileprivate var needsPanel: Bool {
        switch compute {
        case .blocks: return false
        case .f32: return weight.type != .f32 || rounding != nil || !usesOneDNN && orientation == .columns
        case .bf16: return weight.type != .bf16 || ck_has_bf16() == 0
        }
    }

    fileprivate var usesOneDNN: Bool { ck_isa().rawValue >= CK_ISA_AVX512.rawValue }
}

/// One parallel region of products: its input, scratch memory and first failure.
private struct ProductRun: @unchecked Sendable {
    // Sound: workers write disjoint outputs and their own scratch; the failure is behind a lock.
    let input: ProductInput
    private let scratch: WorkerScratch
    private let failure = Failure()

    init(input: ProductInput, linears: [Linear], workers: Workers) throws {
        self.input = input
        let rows = input.matrix.rows
        var bytes = 64
        for linear in linears {
            switch linear.compute {
            case .blocks:
                guard let type = linear.weight.type.kernelType else { continue }
                bytes = max(bytes, ck_product_scratch_bytes(type, rows, linear.inputs))
            case .f32, .bf16:
                guard linear.needsPanel else { continue }
                // The panel, and one more row for a rounded or gathered one.
                let outputs = min(linear.outputs, max(16, 131_072 / max(1, linear.inputs) + 16))
                bytes = max(bytes, (outputs + 1) * max(linear.inputs, 16) * 4 + linear.outputs * 4)
            }
        }
        scratch = try workers.scratch(byteCount: bytes)
    }

    func checkForFailure() throws { try failure.check() }

    /// Computes the outputs `range` of one product, and adds its bias.
    func compute(_ linear: Linear, _ range: Range<Int>, into out: Matrix, worker: Int) {
        let memory = scratch.pointer(worker: worker)
        let result = out.base + range.lowerBound
        switch linear.compute {
        case .blocks: blocks(linear, range, result, out.stride, memory)
        case .f32, .bf16: floats(linear, range, result, out.stride, memory)
        }
        if let bias = linear.bias {
            for row in 0..<input.matrix.rows {
                let values = result + row * out.stride
                ck_add(range.count, values, bias.pointer + range.lowerBound, values)
            }
        }
    }

    private func blocks(
        _ linear: Linear, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>, _ outStride: Int,
        _ memory: UnsafeMutableRawPointer
    ) {
        guard let form = input.quantized, let type = linear.weight.type.kernelType,
            let rowBytes = linear.weight.type.rowBytes(columns: linear.inputs)
        else { return }
        ck_product_quantized(
            type, input.matrix.rows, range.count, linear.inputs,
            linear.weight.bytes.base + range.lowerBound * rowBytes, form.values, form.scales, form.sums, out,
            outStride, memory)
    }

    private func floats(
        _ linear: Linear, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>, _ outStride: Int,
        _ memory: UnsafeMutableRawPointer
    ) {
        let usesBF16 = linear.compute == .bf16 && input.bf16 != nil
        let elementBytes = usesBF16 ? 2 : 4
        var weights = linear.weight.bytes.base
        var rowStride = 1
        var columnStride = 1
        if linear.needsPanel {
            fillPanel(linear, range, memory, bf16: usesBF16)
            weights = UnsafeRawPointer(memory)
            rowStride = linear.inputs
        } else if linear.orientation == .rows {
            weights += range.lowerBound * linear.inputs * elementBytes
            rowStride = linear.inputs
        } else {
            weights += range.lowerBound * elementBytes
            columnStride = linear.outputs
        }
        let matrix = input.matrix
        if linear.usesOneDNN {
            let key = OneDNN.Key(
                operands: usesBF16 ? .bf16 : .f32, rows: matrix.rows, outputs: range.count, inputs: linear.inputs,
                inputStride: usesBF16 ? linear.inputs : matrix.stride, weightRowStride: rowStride,
                weightColumnStride: columnStride, outputStride: outStride)
            let x = usesBF16 ? input.bf16.map { UnsafeRawPointer($0) } : UnsafeRawPointer(matrix.base)
            guard let x else { return }
            failure.catching { try OneDNN.product(key, x: x, weights: weights, out: out) }
        } else {
            ck_product_f32(
                matrix.rows, range.count, linear.inputs, matrix.base, matrix.stride,
                weights.assumingMemoryBound(to: Float.self), linear.inputs, out, outStride)
        }
    }

    /// Converts the weights of the outputs `range` to f32 (or bf16) rows of `inputs`.
    private func fillPanel(
        _ linear: Linear, _ range: Range<Int>, _ memory: UnsafeMutableRawPointer, bf16: Bool
    ) {
        guard let type = linear.weight.type.kernelType,
            let storedRowBytes = linear.weight.type.rowBytes(columns: linear.weight.columns)
        else { return }
        let inputs = linear.inputs
        let stored = linear.weight.bytes.base
        if linear.orientation == .rows {
            for (slot, output) in range.enumerated() {
                let row = stored + output * storedRowBytes
                if bf16 {
                    ck_dequantize_bf16(type, inputs, row, memory.assumingMemoryBound(to: UInt16.self) + slot * inputs)
                } else {
                    let values = memory.assumingMemoryBound(to: Float.self) + slot * inputs
                    ck_dequantize(type, inputs, row, values)
                    round(values, inputs, linear)
                }
            }
            return
        }
        // Stored by columns: take the part of each stored row that belongs to the range, and turn it.
        let elementBytes = linear.weight.type.blockBytes
        let part = memory.assumingMemoryBound(to: Float.self) + range.count * inputs
        for column in 0..<inputs {
            ck_dequantize(type, range.count, stored + column * storedRowBytes + range.lowerBound * elementBytes, part)
            round(part, range.count, linear)
            if bf16 {
                let panel = memory.assumingMemoryBound(to: UInt16.self)
                for slot in 0..<range.count { ck_f32_to_bf16(1, part + slot, panel + slot * inputs + column) }
            } else {
                let panel = memory.assumingMemoryBound(to: Float.self)
                for slot in 0..<range.count { panel[slot * inputs + column] = part[slot] }
            }
        }
    }

    /// Rounds f32 values in place to what the weights would be in the type asked for.
    private func round(_ values: UnsafeMutablePointer<Float>, _ count: Int, _ linear: Linear) {
        guard let rounding = linear.rounding else { return }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count) { narrow in
            guard let narrow = narrow.baseAddress else { return }
            if rounding == .f16 {
                ck_f32_to_f16(count, values, narrow)
                ck_f16_to_f32(count, narrow, values)
            } else {
                ck_f32_to_bf16(count, values, narrow)
                ck_bf16_to_f32(count, narrow, values)
            }
        }
    }
}
