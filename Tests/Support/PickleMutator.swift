/// Damages a pickle instruction by instruction, so that most mutants get past the first of them.
public struct PickleMutator: Sendable {
    private let instructions: [[UInt8]]

    public init(_ pickle: PickleBuilder) { instructions = pickle.instructions }

    /// One change in half of all cases, up to four otherwise; STOP behind the last instruction.
    public func mutate(using generator: inout SeededGenerator) -> [UInt8] {
        var result = instructions
        let changes = generator.chance(2) ? 1 : 1 + generator.index(below: 4)
        for _ in 0..<changes { change(&result, &generator) }
        return Array(result.joined()) + Array(".".utf8)
    }

    private func change(_ list: inout [[UInt8]], _ generator: inout SeededGenerator) {
        guard !list.isEmpty else { return }
        let place = generator.index(below: list.count)
        let other = generator.index(below: list.count)
        switch generator.index(below: 12) {
        case 0: list.remove(at: place)
        case 1: list.insert(list[other], at: place)
        case 2: list.swapAt(place, other)
        case 3: list[place] = instructions[generator.index(below: instructions.count)]
        case 4: list.removeSubrange(min(place, other)..<max(place, other))
        case 5: list.insert(contentsOf: list[min(place, other)..<max(place, other)], at: place)
        case 6: list.insert(Self.plain[generator.index(below: Self.plain.count)], at: place)
        case 7: list.insert([UInt8(truncatingIfNeeded: generator.next())], at: place)
        case 8:
            let few = Array(repeating: list[other], count: 1 + generator.index(below: 120))
            list.insert(contentsOf: few, at: place)
        default: changeArgument(&list, &generator)
        }
    }

    /// Another number, or another letter, behind the code of an instruction.
    private func changeArgument(_ list: inout [[UInt8]], _ generator: inout SeededGenerator) {
        let places = list.indices.filter { list[$0].count > 1 }
        guard !places.isEmpty else { return }
        let place = places[generator.index(below: places.count)]
        let width = list[place].count - 1
        if let integer = [8, 4, 2, 1].first(where: { $0 <= width }), generator.chance(2) {
            ByteMutator.setInteger(&list[place], at: 1, width: integer, &generator)
        } else {
            list[place][1 + generator.index(below: width)] = UInt8(truncatingIfNeeded: generator.next())
        }
    }

    /// Instructions of all kinds: marks, containers, memo, numbers of any size.
    private static let plain: [[UInt8]] =
        "()]}.NtesauRbQ012".utf8.map { [$0] }
        + (UInt8(0x85)...0x89).map { [$0] } + [[0x93], [0x94], [0x81], [0x80, 2], [0x80, 4]]
        + [
            [0x71, 0], [0x71, 1], [0x68, 0], [0x68, 1], [0x72, 255, 255, 255, 255], [0x6A, 0, 0, 0, 0],
            [0x4B, 0], [0x4B, 1], [0x4B, 255], [0x4D, 255, 255], [0x4A, 255, 255, 255, 255],
            [0x4A, 255, 255, 255, 127], [0x8A, 0], [0x8A, 8, 255, 255, 255, 255, 255, 255, 255, 127],
            [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 128], [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 64],
            [0x8A, 9, 255, 255, 255, 255, 255, 255, 255, 255, 0], [0x58, 0, 0, 0, 0], [0x8C, 1, 0x77],
            [0x58, 255, 255, 255, 255], [0x95, 1, 0, 0, 0, 0, 0, 0, 0],
        ]
        + ["torch\nFloatStorage\n", "torch\nfloat32\n", "torch\nSize\n", "os\nsystem\n"].map {
            [0x63] + Array($0.utf8)
        }
}
