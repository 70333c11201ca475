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
        let tasks = OutputTasks(linears, rows: input.matrix.rows, threads: workers.threads)
        let run = try ProductRun(input, linears, mostOutputs: tasks.mostOutputs, workers: workers)
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
        let pair = [first, second]
        let tasks = OutputTasks(joining: pair, rows: input.matrix.rows, threads: workers.threads)
        let run = try ProductRun(input, pair, mostOutputs: tasks.mostOutputs, workers: workers)
        workers.forEach(tasks.count) { task, worker in
            let (_, range) = tasks[task]
            run.compute(first, range, into: outs.0, worker: worker)
            run.compute(second, range, into: outs.1, worker: worker)
            epilogue(range)
        }
        try run.checkForFailure()
    }
}

/// Division of the outputs of several products into ranges of one size, a multiple of 16 rows of weights.
private struct OutputTasks {
    /// Outputs of each product, or of all together if their ranges are joined.
    private let outputs: [Int]
    /// Outputs of the longest range.
    let mostOutputs: Int
    let count: Int

    /// Each product has ranges of its own.
    init(_ linears: [Linear], rows: Int, threads: Int) {
        self.init(outputs: linears.map(\.outputs), linears, rows: rows, threads: threads)
    }

    /// A range is worked on in all products at once; they have equal outputs.
    init(joining linears: [Linear], rows: Int, threads: Int) {
        self.init(outputs: linears.prefix(1).map(\.outputs), linears, rows: rows, threads: threads)
    }

    private init(outputs: [Int], _ linears: [Linear], rows: Int, threads: Int) {
        let total = outputs.reduce(0, +)
        // Of many rows, a few tasks per thread even out threads of unequal speed. For few rows the weights
        // stream from memory, and every range starts cold.
        let isFew = rows <= 8
        var size = threads == 1 && isFew ? total : total / (threads * (isFew ? 1 : 4))
        for linear in linears where linear.compute != .blocks || !isFew {
            size = min(size, linear.mostOutputsPerTask)
        }
        size = max(16, (size + 15) / 16 * 16)
        self.outputs = outputs
        mostOutputs = size
        count = outputs.reduce(0) { $0 + ($1 + size - 1) / size }
    }

    subscript(task: Int) -> (index: Int, range: Range<Int>) {
        var task = task
        for (index, outputs) in outputs.enumerated() {
            let ranges = (outputs + mostOutputs - 1) / mostOutputs
            if task < ranges {
                return (index, task * mostOutputs..<min(outputs, (task + 1) * mostOutputs))
            }
            task -= ranges
        }
        return (0, 0..<0)
    }
}

extension Linear {
    /// So many that a panel of converted weights stays in the second-level cache.
    fileprivate var mostOutputsPerTask: Int { max(16, 131_072 / max(1, inputs) / 16 * 16) }

    fileprivate var usesOneDNN: Bool { ck_isa().rawValue >= CK_ISA_AVX512.rawValue }

    fileprivate var elementType: OneDNN.Operands { compute == .bf16 && ck_has_bf16() != 0 ? .bf16 : .f32 }

    /// Whether the outputs `range` can be read where they lie: the right type, dense, in an order that the
    /// product takes.
    fileprivate func isReady(_ range: Range<Int>) -> Bool {
        guard rounding == nil, weight.type == (elementType == .bf16 ? .bf16 : .f32) else { return false }
        return orientation == .rows || usesOneDNN && range.count == outputs
    }
}

/// One parallel region of products: its input, scratch memory and first failure.
private struct ProductRun: @unchecked Sendable {
    // Sound: workers write disjoint outputs and their own scratch; the failure is behind a lock.
    let input: ProductInput
    private let scratch: WorkerScratch
    private let failure = Failure()

    init(_ input: ProductInput, _ linears: [Linear], mostOutputs: Int, workers: Workers) throws {
        self.input = input
        let rows = input.matrix.rows
        var bytes = 64
        for linear in linears {
            switch linear.compute {
            case .blocks:
                guard let type = linear.weight.type.kernelType else { continue }
                bytes = max(bytes, ck_product_scratch_bytes(type, rows, linear.inputs))
            case .f32, .bf16:
                let outputs = min(mostOutputs, linear.outputs)
                bytes = max(bytes, FloatScratch(linear, outputs: outputs, rows: rows).byteCount)
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
        let matrix = input.matrix
        guard matrix.rows > 0 else { return }
        let parts = FloatScratch(linear, outputs: range.count, rows: matrix.rows)
        var weights = linear.weight.bytes.base
        var orientation = linear.orientation
        if linear.isReady(range) {
            if orientation == .rows {
                weights += range.lowerBound * linear.inputs * (linear.elementType == .bf16 ? 2 : 4)
            }
        } else {
            parts.fillPanel(linear, range, memory)
            weights = UnsafeRawPointer(memory)
            if !linear.usesOneDNN { orientation = .rows }
        }
        if linear.usesOneDNN {
            let key = OneDNN.Key(
                operands: linear.elementType, rows: matrix.rows, outputs: range.count, inputs: linear.inputs,
                orientation: orientation)
            let x =
                linear.elementType == .bf16
                ? input.bf16.map { UnsafeRawPointer($0) } : UnsafeRawPointer(matrix.base)
            guard let x else { return }
            let isDense = outStride == range.count || matrix.rows == 1
            let result = isDense ? out : parts.result(memory)
            failure.catching { try OneDNN.product(key, x: x, weights: weights, out: result) }
            guard !isDense else { return }
            for row in 0..<matrix.rows {
                (out + row * outStride).update(from: result + row * range.count, count: range.count)
            }
        } else {
            ck_product_f32(
                matrix.rows, range.count, linear.inputs, matrix.base, matrix.stride,
                weights.assumingMemoryBound(to: Float.self), linear.inputs, out, outStride)
        }
    }
}

/// Scratch memory of one f32 or bf16 task: a panel of converted weights, one more row, and a dense result.
private struct FloatScratch {
    private let panelBytes: Int
    private let rowBytes: Int
    private let resultBytes: Int

    init(_ linear: Linear, outputs: Int, rows: Int) {
        panelBytes = (outputs * linear.inputs * 4 + 63) / 64 * 64
        rowBytes = (max(outputs, linear.inputs) * 6 + 63) / 64 * 64
        resultBytes = rows * outputs * 4
    }

    var byteCount: Int { panelBytes + rowBytes + resultBytes }

    func result(_ memory: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
        (memory + panelBytes + rowBytes).assumingMemoryBound(to: Float.self)
    }

    /// Converts the weights of the outputs `range`: `[outputs, inputs]`, or `[inputs, outputs]` if the matrix is
    /// stored so and oneDNN multiplies.
    func fillPanel(_ linear: Linear, _ range: Range<Int>, _ memory: UnsafeMutableRawPointer) {
        let type = linear.weight.type
        guard let storedRowBytes = type.rowBytes(columns: linear.weight.columns) else { return }
        let row = (memory + panelBytes).assumingMemoryBound(to: Float.self)
        let stored = linear.weight.bytes.base
        if linear.orientation == .rows {
            for (slot, output) in range.enumerated() {
                convert(
                    linear, stored + output * storedRowBytes, linear.inputs, memory, slot * linear.inputs, row
                )
            }
            return
        }
        for input in 0..<linear.inputs {
            let part = stored + input * storedRowBytes + range.lowerBound * type.blockBytes
            if linear.usesOneDNN {
                convert(linear, part, range.count, memory, input * range.count, row)
            } else {
                convert(linear, part, range.count, UnsafeMutableRawPointer(row), 0, row + range.count)
                let panel = memory.assumingMemoryBound(to: Float.self)
                for slot in 0..<range.count { panel[slot * linear.inputs + input] = row[slot] }
            }
        }
    }

    /// Converts `count` stored weights to what the product multiplies, at element `offset` of `target`.
    private func convert(
        _ linear: Linear, _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer,
        _ offset: Int, _ spare: UnsafeMutablePointer<Float>
    ) {
        guard let type = linear.weight.type.kernelType else { return }
        if linear.elementType == .bf16 {
            ck_dequantize_bf16(type, count, source, target.assumingMemoryBound(to: UInt16.self) + offset)
            return
        }
        let values = target.assumingMemoryBound(to: Float.self) + offset
        ck_dequantize(type, count, source, values)
        guard let rounding = linear.rounding else { return }
        spare.withMemoryRebound(to: UInt16.self, capacity: count) { narrow in
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
