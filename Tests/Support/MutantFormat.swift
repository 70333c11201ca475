/// A reader under test: right inputs, ways to damage them, and what is done with the result.
public struct MutantFormat: Sendable {
    public typealias Mutation = @Sendable (inout SeededGenerator) -> [UInt8]

    public let name: String
    /// Right inputs, which must be accepted.
    public let inputs: [[UInt8]]
    /// The mutant of a number.
    public let mutant: @Sendable (UInt64) -> [UInt8]
    /// Reads a mutant and uses what was read. Throwing means refusing; trapping is a failure.
    public let read: @Sendable ([UInt8]) throws -> Void

    public init(
        name: String, inputs: [[UInt8]], mutant: @escaping @Sendable (UInt64) -> [UInt8],
        read: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.inputs = inputs
        self.mutant = mutant
        self.read = read
    }

    /// Mutants half of which keep the structure of their input.
    /// - Parameter structured: damage that keeps the structure, one for each input.
    public init(
        name: String, inputs: [[UInt8]], structured: [Mutation],
        read: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.init(
            name: name, inputs: inputs,
            mutant: { seed in
                var generator = SeededGenerator(seed: seed)
                let choice = generator.index(below: inputs.count)
                if seed % 2 == 0, structured.indices.contains(choice) {
                    return structured[choice](&generator)
                }
                return ByteMutator.mutate(inputs[choice], others: inputs, using: &generator)
            }, read: read)
    }
}

extension MutantFormat {
    /// JSON texts.
    public static func json(
        name: String, inputs: [[UInt8]], read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        tokens(name: name, inputs: inputs, mutators: inputs.map(TokenMutator.json), read: read)
    }

    /// Jinja templates.
    public static func template(
        name: String, inputs: [[UInt8]], read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        tokens(name: name, inputs: inputs, mutators: inputs.map(TokenMutator.template), read: read)
    }

    private static func tokens(
        name: String, inputs: [[UInt8]], mutators: [TokenMutator],
        read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        MutantFormat(
            name: name, inputs: inputs,
            structured: mutators.map { mutator in { generator in mutator.mutate(using: &generator) } },
            read: read)
    }

    /// GGUF files.
    public static func gguf(
        name: String, inputs: [GGUFBuilder], read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        let files = inputs.map { $0.build() }
        return MutantFormat(
            name: name, inputs: files.map(\.bytes),
            structured: files.map { file in
                let mutator = FieldMutator(file)
                return { generator in mutator.mutate(using: &generator) }
            }, read: read)
    }

    /// PyTorch checkpoints. Of the damage that keeps structure, three in four cases change the pickle inside a
    /// right container, the others fields of the container.
    public static func pytorch(
        name: String, inputs: [PyTorchBuilder], read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        MutantFormat(
            name: name, inputs: inputs.map { $0.build().bytes },
            structured: inputs.map { input in
                let pickle = PickleMutator(input.pickle)
                let fields = FieldMutator(input.build())
                return { generator in
                    generator.chance(4)
                        ? fields.mutate(using: &generator)
                        : input.build(pickle: pickle.mutate(using: &generator)).bytes
                }
            }, read: read)
    }

    /// Safetensors files given as header and data. The header is damaged token by token, its length stays
    /// right.
    public static func safetensors(
        name: String, inputs: [(header: String, data: [UInt8])],
        read: @escaping @Sendable ([UInt8]) throws -> Void
    ) -> MutantFormat {
        MutantFormat(
            name: name, inputs: inputs.map { SafetensorsBuilder.file(header: $0.header, data: $0.data) },
            structured: inputs.map { input in
                let mutator = TokenMutator.json(Array(input.header.utf8))
                return { generator in
                    SafetensorsBuilder.file(header: mutator.mutate(using: &generator), data: input.data)
                }
            }, read: read)
    }
}
