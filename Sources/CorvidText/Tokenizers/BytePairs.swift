/// Byte-pair encoding over bytes, as GPT-2, GPT-J, GPT-NeoX, LLaMA-3 and SmolLM2 use it.
struct BytePairs: Sendable {
    var merges: Merges
    /// The id of each byte, or -1.
    var byteIDs: [Int32]
    /// A part that is a piece as a whole is taken as it is (LLaMA-3).
    var ignoresMerges = false
    /// What stands for a byte that the vocabulary lacks; without it such bytes are left out.
    var unknown: Int32?
    var fusesUnknown = false

    init(merges: Merges, vocabulary: Vocabulary) {
        self.merges = merges
        byteIDs = (0..<256).map { vocabulary.id(of: [UInt8($0)], 0..<1, .bytes) ?? -1 }
    }

    func encode(
        _ bytes: [UInt8], _ part: Range<Int>, _ vocabulary: Vocabulary, _ scratch: inout Merges.Scratch,
        into ids: inout [Int32]
    ) {
        if ignoresMerges, let whole = vocabulary.id(of: bytes, part, .bytes) {
            ids.append(whole)
            return
        }
        var afterUnknown = false
        for offset in part {
            let id = byteIDs[Int(bytes[offset])]
            if id >= 0 {
                ids.append(id)
                afterUnknown = false
            } else if let unknown {
                if !(afterUnknown && fusesUnknown) { ids.append(unknown) }
                afterUnknown = true
            }
        }
        merges.apply(to: &ids, &scratch)
    }
}
