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
        if linears.contains(where: { !$0.deltas.isEmpty }) {
            return try multiplyWithDeltas(
                input, by: linears, into: outs, workers: workers, epilogue: epilogue)
        }
        try multiplyAlone(input, by: linears, into: outs, workers: workers, epilogue: epilogue)
    }

    private static func multiplyAlone(
        _ input: ProductInput, by linears: [Linear], into outs: [Matrix], workers: Workers,
        epilogue: (_ index: Int, _ range: Range<Int>) -> Void
    ) throws {
        let outer = workers.begin(linears.first?.part ?? .product)
        defer { workers.end(outer) }
        let tasks = OutputTasks(linears, rows: input.matrix.rows, threads: workers.threads)
        let run = try ProductRun(input, linears, mostOutputs: tasks.mostOutputs, workers: workers)
        workers.forEach(tasks.count) { task, worker in
            tasks.forEachPart(of: task) { index, range in
                run.compute(linears[index], range, into: outs[index], worker: worker)
                epilogue(index, range)
            }
        }
    }

    /// Two products whose outputs are joined element by element (a gated MLP): `epilogue` sees the same range
    /// of both complete.
    public static func multiplyPair(
        _ input: ProductInput, by first: Linear, and second: Linear, into outs: (Matrix, Matrix),
        workers: Workers, epilogue: (_ range: Range<Int>) -> Void
    ) throws {
        precondition(first.outputs == second.outputs, "a pair of products must have equal outputs")
        if !(first.deltas.isEmpty && second.deltas.isEmpty) {
            return try multiplyWithDeltas(
                input, by: [first, second], into: [outs.0, outs.1], workers: workers
            ) { index, range in
                // Both are complete before the first epilogue.
                if index == 0 { epilogue(range) }
            }
        }
        let outer = workers.begin(first.part)
        defer { workers.end(outer) }
        let pair = [first, second]
        let tasks = OutputTasks(joining: pair, rows: input.matrix.rows, threads: workers.threads)
        let run = try ProductRun(input, pair, mostOutputs: tasks.mostOutputs, workers: workers)
        workers.forEach(tasks.count) { task, worker in
            tasks.forEachPart(of: task) { _, range in
                run.compute(first, range, into: outs.0, worker: worker)
                run.compute(second, range, into: outs.1, worker: worker)
                epilogue(range)
            }
        }
    }
}

extension Linear {
    /// The products, then what is added to them, then the epilogues: the bits of the products are the same as
    /// without deltas.
    private static func multiplyWithDeltas(
        _ input: ProductInput, by linears: [Linear], into outs: [Matrix], workers: Workers,
        epilogue: (_ index: Int, _ range: Range<Int>) -> Void
    ) throws {
        try multiplyAlone(input, by: linears, into: outs, workers: workers) { _, _ in }
        for (linear, out) in zip(linears, outs) {
            for delta in linear.deltas {
                try delta.add(of: input.matrix, to: out, workers: workers, arena: input.arena)
            }
        }
        let tasks = OutputTasks(linears, rows: input.matrix.rows, threads: workers.threads)
        workers.forEach(tasks.count) { task, _ in
            tasks.forEachPart(of: task) { index, range in epilogue(index, range) }
        }
    }
}

/// Division of the outputs of several products, one after the other, into tasks of one size. A task may end in
/// the middle of one product and the next begin there, so that three products keep two threads equally busy.
private struct OutputTasks {
    private let outputs: [Int]
    /// Outputs of a task, in all its products together.
    let mostOutputs: Int
    let count: Int

    /// Tasks and their parts begin at multiples of so many outputs of a product.
    private static let grain = 16
    /// Integers of many rows: what is set up for a task is worth it from a few panels on; more of them would
    /// only leave threads of unequal speed more to wait for.
    private static let mostIntegerOutputs = 512

    /// The products follow one another.
    init(_ linears: [Linear], rows: Int, threads: Int) {
        self.init(outputs: linears.map(\.outputs), linears, rows: rows, threads: threads)
    }

    /// A task works on the same outputs of all products, which have equally many.
    init(joining linears: [Linear], rows: Int, threads: Int) {
        self.init(outputs: linears.prefix(1).map(\.outputs), linears, rows: rows, threads: threads)
    }

    private init(outputs: [Int], _ linears: [Linear], rows: Int, threads: Int) {
        let total = outputs.reduce(0) { $0 + Self.rounded($1, to: Self.grain) }
        // Of many rows, a few tasks per thread even out threads of unequal speed. For few rows the weights
        // stream from memory, and every range starts cold.
        let isFew = rows <= 8
        let tasks = threads == 1 && isFew ? 1 : threads * (isFew ? 1 : 4)
        var size = max(Self.grain, Self.rounded((total + tasks - 1) / tasks, to: Self.grain))
        if !isFew, linears.contains(where: \.readsIntegers) {
            size = min(Self.rounded(size, to: 64), Self.mostIntegerOutputs)
        }
        self.outputs = outputs
        mostOutputs = size
        count = (total + size - 1) / size
    }

    /// Calls `body` with each product of which the task has outputs, and with those.
    func forEachPart(of task: Int, _ body: (_ index: Int, _ range: Range<Int>) -> Void) {
        var start = task * mostOutputs
        let end = start + mostOutputs
        var first = 0
        for (index, outputs) in outputs.enumerated() {
            let next = first + Self.rounded(outputs, to: Self.grain)
            if start < min(end, next) {
                let range = start - first..<min(end - first, outputs)
                if !range.isEmpty { body(index, range) }
                start = next
            }
            first = next
        }
    }

    private static func rounded(_ number: Int, to grain: Int) -> Int { (number + grain - 1) / grain * grain }
}

extension Linear {
    /// Whether the weights are read as integers.
    fileprivate var readsIntegers: Bool { compute == .blocks || compute == .int8 }

    /// The weights of the outputs from `first` on, for the kernel which decodes them as it goes.
    fileprivate func floatWeights(from first: Int) -> ck_float_weights? {
        guard let type = weight.type.kernelType, let rowBytes = weight.type.rowBytes(columns: weight.columns)
        else { return nil }
        let start = orientation == .rows ? first * rowBytes : first * weight.type.blockBytes
        return ck_float_weights(
            type: type, rounding: rounding?.kernelType ?? CK_F32, by_columns: orientation == .rows ? 0 : 1,
            bytes: weight.bytes.base + start, stride: rowBytes)
    }
}

/// One parallel region of products: its input and scratch memory.
private struct ProductRun: @unchecked Sendable {
    // Sound: workers write disjoint outputs and their own scratch.
    let input: ProductInput
    private let scratch: WorkerScratch

    init(_ input: ProductInput, _ linears: [Linear], mostOutputs: Int, workers: Workers) throws {
        self.input = input
        let rows = input.matrix.rows
        var bytes = 64
        for linear in linears {
            switch linear.compute {
            case .blocks:
                guard let type = linear.weight.type.kernelType else { continue }
                bytes = max(bytes, ck_product_scratch_bytes(type, rows, linear.inputs))
            case .int8:
                bytes = max(bytes, ck_product_int8_scratch_bytes(rows, linear.inputs))
            case .f32, .bf16:
                bytes = max(bytes, ck_product_float_scratch_bytes())
            }
        }
        scratch = try workers.scratch(byteCount: bytes)
    }

    /// Computes the outputs `range` of one product, and adds its bias.
    func compute(_ linear: Linear, _ range: Range<Int>, into out: Matrix, worker: Int) {
        let memory = scratch.pointer(worker: worker)
        let result = out.base + range.lowerBound
        switch linear.compute {
        case .blocks: blocks(linear, range, result, out.stride, memory)
        case .int8: int8(linear, range, result, out.stride, memory)
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

    private func int8(
        _ linear: Linear, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>, _ outStride: Int,
        _ memory: UnsafeMutableRawPointer
    ) {
        guard let form = input.quantizedRows, let scales = linear.weight.rowScales else { return }
        let weights = (linear.weight.bytes.base + range.lowerBound * linear.inputs)
            .assumingMemoryBound(to: Int8.self)
        ck_product_int8(
            input.matrix.rows, range.count, linear.inputs, weights, scales.pointer + range.lowerBound,
            form.values, form.scales, form.sums, out, outStride, memory)
    }

    private func floats(
        _ linear: Linear, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>, _ outStride: Int,
        _ memory: UnsafeMutableRawPointer
    ) {
        guard var weights = linear.floatWeights(from: range.lowerBound) else { return }
        let rows = input.matrix.rows
        if linear.compute == .bf16, let pairs = input.pairs {
            ck_product_bf16(&weights, rows, range.count, linear.inputs, pairs, out, outStride, memory)
        } else if let floats = input.floats {
            ck_product_float(&weights, rows, range.count, linear.inputs, floats, out, outStride, memory)
        }
    }
}
