import CorvidModels
import Testing

@testable import CorvidCommands

@Suite struct ChatParametersTests {
    private var parameters = ChatParameters(settings: ConversationSettings(), showsTimings: false)

    @Test(
        "each parameter can be set, read, and stands in the table",
        arguments: [
            ("temperature", "0.25"), ("top-k", "7"), ("top-p", "0.5"), ("min-p", "0.125"),
            ("repetition-penalty", "1.5"), ("frequency-penalty", "0.5"), ("presence-penalty", "-0.5"),
            ("seed", "99"), ("max-tokens", "12"), ("max-tokens", "none"), ("timings", "on"),
        ])
    func setting(name: String, value: String) {
        var parameters = parameters
        #expect(parameters.set(name, to: value, size: 100) == nil)
        #expect(parameters.value(of: name) == value)
        #expect(parameters.table.contains(name))
    }

    @Test("a name may be written with underscores and capitals") func spelling() {
        var parameters = parameters
        #expect(parameters.set("Top_K", to: "3", size: 100) == nil)
        #expect(parameters.settings.sampling.topK == 3)
    }

    @Test(
        "a wrong name or value changes nothing and says why",
        arguments: [
            ("tempo", "1"), ("temperature", "hot"), ("temperature", "-1"), ("temperature", "nan"),
            ("top-k", "1.5"),
            ("top-p", "2"), ("seed", "-1"), ("max-tokens", "0"), ("timings", "maybe"),
        ])
    func mistakes(name: String, value: String) {
        var parameters = parameters
        #expect(parameters.set(name, to: value, size: 100)?.isEmpty == false)
        #expect(parameters == self.parameters)
    }
}
