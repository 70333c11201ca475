import ArgumentParser
import CorvidModels
import CorvidStore
import Foundation

/// Which patches lie over the model.
struct PatchOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Lay a patch over the model: a patch file, a PEFT or MLX adapter folder, a GGUF adapter or control vector; may be given again.",
            valueName: "patch[@scale]"))
    var with: [PatchArgument] = []

    @Flag(help: "Lay patches over a model that they were not made on, if the sizes fit.")
    var anyBase = false

    /// Where the patches that were named lie, those that are not found left out.
    var paths: [String] {
        guard let store = try? Store() else { return [] }
        return with.compactMap { try? $0.resolved(in: store).path }
    }

    /// The patches that were named, opened.
    /// - Throws: `StoreError`, `PatchFileError` and what else opening throws.
    func open(for model: Model) throws -> PatchStack {
        let store = try Store()
        return PatchStack(
            try with.map { argument in
                let (path, scale) = try argument.resolved(in: store)
                return PatchStack.Layer(try Patch.open(path, for: model), scale: scale)
            })
    }

    /// The model with the patches laid over it; the model itself if there are none.
    func apply(to model: Model, _ console: Console?) throws -> (Model, PatchStack) {
        guard !with.isEmpty else { return (model, PatchStack([])) }
        let digests = DigestStore(try Store())
        let stack = try open(for: model)
        let (patched, warnings) = try model.applying(stack, acceptsAnyBase: anyBase, cache: digests)
        digests.save()
        for warning in warnings { console?.warn("\(warning)") }
        return (patched, stack)
    }
}

/// `PATCH` or `PATCH@SCALE`.
struct PatchArgument: ExpressibleByArgument, Sendable {
    let text: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        text = argument
    }

    /// A path that exists is taken as it is; else what follows the last @ is the scale.
    /// - Throws: `StoreError`.
    func resolved(in store: Store) throws -> (path: String, scale: Float) {
        if FileManager.default.fileExists(atPath: text) { return (text, 1) }
        guard let at = text.lastIndex(of: "@"), let scale = Float(text[text.index(after: at)...]),
            scale.isFinite
        else { return (try store.resolvePatch(text), 1) }
        return (try store.resolvePatch(String(text[..<at])), scale)
    }
}
