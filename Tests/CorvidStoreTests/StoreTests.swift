import CorvidStore
import Foundation
import TestSupport
import Testing

@Suite struct StoreTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = Store(root: folder.path, hubCache: HuggingFaceCache(root: folder.path(of: "hub")))
    }

    private func makeModel(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path(of: path), withIntermediateDirectories: true)
        try folder.write("{}", to: path + "/config.json")
    }

    @Test("the variables that name the store are taken in order") func rootOrder() throws {
        var environment = ["HOME": "/h"]
        #expect(try Store(environment: environment).root == "/h/.local/share/corvid")
        environment["XDG_DATA_HOME"] = "/x"
        #expect(try Store(environment: environment).root == "/x/corvid")
        environment["CORVID_HOME"] = "/c"
        #expect(try Store(environment: environment).root == "/c")
        environment["CORVID_HOME"] = ""
        #expect(try Store(environment: environment).root == "/x/corvid")
        #expect(throws: StoreError.noHome) { try Store(environment: [:]) }
    }

    @Test("the variables that name the hub's cache are taken in order") func cacheOrder() {
        var environment = ["HOME": "/h"]
        #expect(HuggingFaceCache(environment: environment).root == "/h/.cache/huggingface/hub")
        environment["XDG_CACHE_HOME"] = "/x"
        #expect(HuggingFaceCache(environment: environment).root == "/x/huggingface/hub")
        environment["HF_HOME"] = "/f"
        #expect(HuggingFaceCache(environment: environment).root == "/f/hub")
        environment["HF_HUB_CACHE"] = "/c"
        #expect(HuggingFaceCache(environment: environment).root == "/c")
        #expect(HuggingFaceCache(environment: [:]).root == nil)
    }

    @Test("a path that exists wins over a name") func pathFirst() throws {
        try makeModel("models/one")
        let found = try store.resolve(folder.path(of: "models/one") + "/")
        #expect(found == ModelLocation(name: "one", path: folder.path(of: "models/one")))
    }

    @Test("a name is found in the store") func name() throws {
        try makeModel("models/one")
        #expect(try store.resolve("one") == ModelLocation(name: "one", path: folder.path(of: "models/one")))
        #expect(store.modelNames == ["one"])
    }

    @Test("ORG/NAME is found at the commit of main") func repository() throws {
        try makeModel("hub/models--lab--one/snapshots/aaa")
        try makeModel("hub/models--lab--one/snapshots/bbb")
        #expect(throws: StoreError.self) { try store.resolve("lab/one") }
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "hub/models--lab--one/refs"), withIntermediateDirectories: true)
        try folder.write("bbb\n", to: "hub/models--lab--one/refs/main")
        let found = try store.resolve("lab/one")
        #expect(found.path == folder.path(of: "hub/models--lab--one/snapshots/bbb"))
    }

    @Test("one snapshot needs no reference") func singleSnapshot() throws {
        try makeModel("hub/models--lab--one/snapshots/aaa")
        #expect(try store.resolve("lab/one").path == folder.path(of: "hub/models--lab--one/snapshots/aaa"))
    }

    @Test("a reference that leads out of its folder is not followed") func hostileReference() throws {
        try makeModel("outside")
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "hub/models--lab--one/refs"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "hub/models--lab--one/snapshots"), withIntermediateDirectories: true)
        try folder.write("../../../outside", to: "hub/models--lab--one/refs/main")
        #expect(throws: StoreError.self) { try store.resolve("lab/one") }
    }

    @Test(
        "no name leads out of the store",
        arguments: ["../outside", "one/../../outside", "a/../outside", ".hidden", "a//b", "one\u{0}", "~"])
    func traversal(name: String) throws {
        try makeModel("outside")
        try makeModel("models/.hidden")
        #expect(throws: StoreError.self) { try store.resolve(name) }
    }

    @Test("an unknown name is answered with what there is and the nearest")
    func unknown() throws {
        try makeModel("models/SmolLM2-360M")
        try makeModel("hub/models--lab--gpt-j/snapshots/aaa")
        #expect(
            throws: StoreError.unknownModel(
                name: "smollm2-36m", known: ["SmolLM2-360M", "lab/gpt-j"], nearest: "SmolLM2-360M",
                store: folder.path(of: "models"))
        ) { try store.resolve("smollm2-36m") }
        #expect {
            try store.resolve("entirely-different")
        } throws: { error in
            (error as? StoreError)?.description.contains("Did you mean") == false
        }
    }

    @Test("a missing default model says how it is fetched") func defaultModel() throws {
        #expect(throws: StoreError.noDefaultModel(folder: folder.path(of: "models/" + Store.defaultModel))) {
            try store.resolve(nil)
        }
        // A download that was broken off is no model.
        try FileManager.default.createDirectory(
            atPath: folder.path(of: "models/" + Store.defaultModel + "/.download-1"),
            withIntermediateDirectories: true)
        #expect(throws: StoreError.self) { try store.resolve(Store.defaultModel) }
        try folder.write("x", to: "models/" + Store.defaultModel + "/a.gguf")
        #expect(try store.resolve(nil).name == Store.defaultModel)
    }
}
