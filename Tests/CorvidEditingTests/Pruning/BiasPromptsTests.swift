import TestSupport
import Testing

@testable import CorvidEditing

@Suite struct BiasPromptsTests {
    private static let prompts = """
        {"hands": {"prompts": ["I'm left-handed.", "I'm right-handed.", "I'm two-handed."]},
         "pets": {"prompts": ["I love cats.", "I love dogs."]}}
        """
    private static let buckets = """
        {"axis": ["hands", "pets", "hands", "pets", "hands"], "bucket": ["left", "cat", "right", "dog", "both"]}
        """

    private func read(_ prompts: String, _ buckets: String? = nil) throws -> BiasPrompts {
        try BiasPrompts(
            prompts: Array(prompts.utf8), file: "p.json",
            buckets: buckets.map { (Array($0.utf8), "b.json") })
    }

    @Test("prompts get the buckets that stand in parallel") func files() throws {
        let prompts = try read(Self.prompts, Self.buckets)
        #expect(prompts.axes.map(\.name) == ["hands", "pets"])
        #expect(try prompts.prompts("hands").map(\.bucket) == ["left", "right", "both"])
        #expect(try prompts.prompts("pets").map(\.text) == ["I love cats.", "I love dogs."])
        let own = try read("{\"a\": {\"prompts\": [\"x\", \"y\"], \"buckets\": [\"1\", \"2\"]}}")
        #expect(try own.prompts("a").map(\.bucket) == ["1", "2"])
    }

    @Test("axes that are missing or have one bucket, and files that do not fit, are refused") func refusals()
        throws
    {
        let prompts = try read(Self.prompts, Self.buckets)
        #expect(throws: PruningError.axis("religion", known: ["hands", "pets"])) {
            try prompts.prompts("religion")
        }
        let one = try read("{\"a\": {\"prompts\": [\"x\", \"y\"], \"buckets\": [\"all\", \"all\"]}}")
        #expect(throws: PruningError.degenerate(axis: "a", buckets: ["all"])) { try one.prompts("a") }
        for text in [
            "", "[]", "{}", "{\"a\": {}}", "{\"a\": {\"prompts\": [1]}}", "{\"a\": {\"prompts\": [\"\"]}}",
        ] {
            #expect(throws: PruningError.self, "\(text)") { try read(text, Self.buckets) }
        }
        #expect(throws: PruningError.self) { try read(Self.prompts) }
        #expect(throws: PruningError.self) {
            try read(Self.prompts, "{\"axis\": [\"hands\"], \"bucket\": []}")
        }
    }

    @Test("samples keep the shares of buckets, and parts have no prompt in common") func parts() throws {
        let list = (0..<100).map { BiasPrompts.Prompt(text: "p\($0)", bucket: $0 % 10 == 0 ? "few" : "many") }
        let prompts = BiasPrompts([("x", list)])
        let some = try prompts.sample(atMost: 20, seed: 1).prompts("x")
        #expect(some.count { $0.bucket == "few" } == 2 && some.count == 20)
        #expect(try prompts.sample(atMost: 20, seed: 1).prompts("x") == some)
        #expect(try prompts.sample(atMost: 20, seed: 2).prompts("x") != some)
        let (validation, test) = prompts.split(share: 0.2, seed: 1)
        let (first, second) = (Set(try validation.prompts("x")), Set(try test.prompts("x")))
        #expect(first.isDisjoint(with: second) && first.union(second).count == 100)
        #expect(first.count == 20)
    }

    @Test("descriptors, nouns and templates make sentences") func holisticBias() throws {
        let descriptors = """
            {"trade": {"wood": ["able"], "stone": [{"descriptor": "US-born", "article": "a"},
              {"descriptor": "shy", "gender": "female"}]}}
            """
        let nouns = "{\"female\": [[\"woman\", \"women\"]], \"neutral\": [[\"child\", \"children\"]]}"
        let templates = """
            {"I'm {noun_phrase}.": {}, "I like {plural_noun_phrase}.": {"must_be_noun": true}}
            """
        func parts(_ d: String, _ n: String, _ t: String) throws -> HolisticBias {
            try HolisticBias(
                descriptors: (Array(d.utf8), "d.json"), nouns: (Array(n.utf8), "n.json"),
                templates: (Array(t.utf8), "t.json"))
        }
        let prompts = try parts(descriptors, nouns, templates).prompts(axes: ["trade"])
        let found = try prompts.prompts("trade")
        #expect(
            found.map(\.text) == [
                "I'm able.", "I'm an able woman.", "I'm an able child.",
                "I like able women.", "I like able children.",
                "I'm US-born.", "I'm a US-born woman.", "I'm a US-born child.",
                "I like US-born women.", "I like US-born children.",
                "I'm shy.", "I'm a shy woman.", "I like shy women.",
            ])
        #expect(found.map(\.bucket).prefix(6) == ["wood", "wood", "wood", "wood", "wood", "stone"])
        #expect(throws: PruningError.axis("faith", known: ["trade"])) {
            try parts(descriptors, nouns, templates).prompts(axes: ["faith"])
        }
        #expect(throws: PruningError.emptyBucket(axis: "a", bucket: "b")) {
            try parts("{\"a\": {\"b\": []}}", nouns, templates).prompts()
        }
        #expect(throws: PruningError.self) { try parts(descriptors, nouns, "{\"no phrase\": {}}").prompts() }
        #expect(throws: PruningError.self) {
            try parts(descriptors, "{\"f\": [[\"a\"]]}", templates).prompts()
        }
    }
}
