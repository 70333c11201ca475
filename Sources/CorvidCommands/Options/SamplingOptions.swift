import ArgumentParser
import CorvidModels

/// How the next token is drawn.
struct SamplingOptions: ParsableArguments {
    private static let standard = SamplingSettings()

    @Flag(help: "Always take the likeliest token.")
    var greedy = false

    @Option(
        help: ArgumentHelp(
            "Divides the logits; 0 is greedy. (default: \(standard.temperature))", valueName: "T"))
    var temperature: Double?

    @Option(help: ArgumentHelp("Keep the K likeliest tokens; 0 keeps all.", valueName: "K"))
    var topK: Int = standard.topK

    @Option(help: ArgumentHelp("Keep the likeliest tokens with together this probability.", valueName: "P"))
    var topP: Double = standard.topP

    @Option(
        help: ArgumentHelp("Keep tokens with this part of the likeliest one's probability.", valueName: "P"))
    var minP: Double = standard.minP

    @Option(help: ArgumentHelp("Makes tokens that occurred less likely; 1 changes nothing.", valueName: "R"))
    var repetitionPenalty: Double = standard.repetitionPenalty

    @Option(
        help: ArgumentHelp("Taken off a token's logit for each time it was generated.", valueName: "A"))
    var frequencyPenalty: Double = standard.frequencyPenalty

    @Option(help: ArgumentHelp("Taken off the logit of a token that was generated.", valueName: "A"))
    var presencePenalty: Double = standard.presencePenalty

    @Option(
        name: .customLong("logit-bias"), parsing: .singleValue,
        help: ArgumentHelp("Added to one token's logit; may be given again.", valueName: "id=bias"))
    var logitBias: [TokenBias] = []

    func validate() throws {
        if greedy, let temperature, temperature != 0 {
            throw ValidationError("--greedy and --temperature \(temperature) contradict each other.")
        }
        do {
            // Whether the model has the tokens of the biases is known only with the model.
            try settings(seed: 0).validate(size: Int.max)
        } catch let error as GenerationError {
            throw ValidationError("--\(error)")
        }
    }

    /// The settings that these options stand for.
    func settings(seed: UInt64) -> SamplingSettings {
        var settings = SamplingSettings()
        settings.temperature = greedy ? 0 : temperature ?? Self.standard.temperature
        settings.topK = topK
        settings.topP = topP
        settings.minP = minP
        settings.repetitionPenalty = repetitionPenalty
        settings.frequencyPenalty = frequencyPenalty
        settings.presencePenalty = presencePenalty
        settings.logitBias = Dictionary(logitBias.map { ($0.id, $0.bias) }) { _, last in last }
        settings.seed = seed
        return settings
    }
}

/// `1234=-5.5`: what is added to the logit of one token.
struct TokenBias: ExpressibleByArgument, Sendable {
    let id: Int
    let bias: Double

    init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = Int(parts[0]), id >= 0, let bias = Double(parts[1]), bias.isFinite
        else { return nil }
        self.id = id
        self.bias = bias
    }
}
