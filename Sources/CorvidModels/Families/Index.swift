extension Family {
    /// All families, in the order in which they are shown. A new family is a file beside this one and a line here.
    public static let all: [Family] = [
        .gptj,
        .gpt2,
        .llama,
        .gptNeoX,
        .gptNeo,
        .opt,
        .bloom,
        .mpt,
        .codeGen,
        .bert,
        .roberta,
        .mpnet,
        .distilBERT,
        .t5,
        .mt5,
        .backpack,
    ]
}
