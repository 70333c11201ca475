/// A checkpoint split into `NAME-00001-of-0000N.gguf`, as llama.cpp's `gguf-split` writes it.
struct GGUFSplit {
    /// Paths of all parts in order.
    let paths: [String]
    /// Which of them was opened first, from 0.
    let number: Int
    private let tensorCount: Int?
    private let path: String

    /// nil if `part` is a whole checkpoint.
    init?(_ part: GGUFPart) throws {
        path = part.path
        let count = try part.integer("split.count") ?? 1
        let named = Self.parse(part.path)
        guard count > 1 || (named?.count ?? 1) > 1 else { return nil }
        guard count > 1, count <= GGUFFile.Limits.parts else {
            throw FormatError.split(
                file: part.path, key: "split.count", found: "\(count)",
                expected: "\(named?.count ?? 2), as the name of the file says")
        }
        guard let named, named.count == count else {
            throw FormatError.split(
                file: part.path, key: "split.count", found: "\(count)",
                expected: "a file named NAME-00001-of-\(Self.digits(count)).gguf "
                    + "with its other parts beside it")
        }
        guard named.number >= 1, named.number <= count else {
            throw FormatError.split(
                file: part.path, key: "the number in the file's name", found: "\(named.number)",
                expected: "1 to \(count)")
        }
        number = named.number - 1
        tensorCount = try part.integer("split.tensors.count")
        paths = (1...count).map { "\(named.stem)-\(Self.digits($0))-of-\(Self.digits(count)).gguf" }
    }

    /// Throws unless `part` says that it is number `number` (from 0) of these parts.
    func check(_ part: GGUFPart, number: Int) throws {
        let pairs = [
            ("split.no", number), ("split.count", paths.count), ("split.tensors.count", tensorCount),
        ]
        for (key, expected) in pairs {
            let found = try part.integer(key)
            guard found == expected else {
                throw FormatError.split(
                    file: part.path, key: key, found: found.map { "\($0)" } ?? "absent",
                    expected: expected.map { "\($0)" } ?? "absent")
            }
        }
    }

    func check(tensorCount found: Int) throws {
        guard let tensorCount, found != tensorCount else { return }
        throw FormatError.split(
            file: path, key: "split.tensors.count", found: "\(tensorCount)",
            expected: "\(found), as the parts hold")
    }

    /// The parts of `STEM-00002-of-00003.gguf`.
    private static func parse(_ path: String) -> (stem: String, number: Int, count: Int)? {
        guard let match = path.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})\.gguf/),
            let number = Int(match.2), let count = Int(match.3)
        else { return nil }
        return (String(match.1), number, count)
    }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
}
