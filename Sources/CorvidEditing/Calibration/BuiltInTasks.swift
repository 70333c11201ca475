extension TaskCard {
    /// The cards of the paper's tasks, by name. Prompts are those of its code; where that joins two texts to one,
    /// the card keeps them apart, so that texts without content fill both.
    public static let builtIn: [TaskCard] =
        sentiment + hate + tweets + topics + pairs + instructed

    /// The built-in card with this name.
    public static func named(_ name: String) -> TaskCard? { builtIn.first { $0.name == name } }

    private static func card(
        _ name: String, _ question: String, _ answer: String, _ labels: String..., words: Int? = nil,
        after instruction: String = ""
    ) -> TaskCard {
        TaskCard(
            name: name, promptPrefix: instruction, questionPrefix: question, answerPrefix: answer,
            labels: labels.map { $0.split(separator: "+").map(String.init) }, wordLimit: words)
    }

    private static let sentiment = [
        card("sst2", "Review: ", "Sentiment: ", "negative", "positive"),
        card("mr", "Review: ", "Sentiment: ", "negative", "positive"),
        card("cr", "Review: ", "Sentiment: ", "negative", "positive"),
        card("mpqa", "Review: ", "Sentiment: ", "negative", "positive"),
        card("sst5", "Review: ", "Sentiment: ", "terrible", "bad", "okay", "good", "great"),
        card(
            "financial_phrasebank", "Sentence: ", "Sentiment: ", "negative", "neutral", "positive"),
        card(
            "poem_sentiment", "Verse text: ", "Sentiment: ", "negative", "neutral", "positive", "mixed"),
    ]

    private static let hate = [
        card("hate_speech18", "Text: ", "Label: ", "neutral", "hate"),
        card("ethos_binary", "Text: ", "Label: ", "neutral", "hate", words: 128),
        card("ethos_national_origin", "Text: ", "Label: ", "neutral", "hate", words: 128),
        card("ethos_race", "Text: ", "Label: ", "neutral", "hate", words: 128),
        card("ethos_religion", "Text: ", "Label: ", "neutral", "hate", words: 128),
    ]

    private static let tweets = [
        card("tweet_hate", "Tweet: ", "Label: ", "neutral", "hate"),
        card("tweet_irony", "Tweet: ", "Label: ", "neutral", "ironic"),
        card("tweet_offensive", "Tweet: ", "Label: ", "neutral", "offensive"),
        card("tweet_sentiment", "Tweet: ", "Label: ", "Negative", "Neutral", "Positive"),
        card("tweet_stance_climate", "Tweet: ", "Label: ", "none", "against", "favor"),
        card("tweet_stance_atheism", "Tweet: ", "Label: ", "none", "against", "favor"),
        card("tweet_stance_feminist", "Tweet: ", "Label: ", "none", "against", "favor"),
    ]

    private static let topics = [
        card("subj", "Input: ", "Label: ", "objective", "subjective"),
        card(
            "cola", "Sentence: ", "Answer: ", "Wrong", "Correct",
            after: "Are the following sentences grammatically correct?\n\n"),
        card("agnews", "Article: ", "Answer: ", "world", "sports", "business", "technology+science"),
        card(
            "trec", "Question: ", "Answer type: ", "number", "location", "person", "description", "entity",
            "abbre"),
        card(
            "dbpedia", "Article: ", "Article type: ", "company", "school", "artist", "athlete", "politics",
            "transportation", "building", "nature", "village", "animal", "plant", "album", "film", "book"),
    ]

    private static func pair(
        _ name: String, _ pair: Pair, _ answer: String, _ labels: String..., shown: [String]? = nil,
        question: String = "", after instruction: String = ""
    ) -> TaskCard {
        TaskCard(
            name: name, promptPrefix: instruction, questionPrefix: question, pair: pair, answerPrefix: answer,
            labels: labels.map { [$0] }, labelsInContext: shown)
    }

    private static let premise = Pair(firstPrefix: "", secondPrefix: "question: ")

    private static let pairs = [
        pair(
            "medical_questions_pairs", Pair(firstPrefix: "Question 1: ", secondPrefix: "Question 2: "),
            "Label: ", "different", "similar"),
        pair(
            "mrpc", Pair(firstPrefix: "Sentence 1: ", firstSuffix: " ", secondPrefix: "Sentence 2: "),
            "question: different or equivalent? answer: ", "different", "equivalent"),
        pair("rte", premise, "True or False? answer: ", "False", "True"),
        pair("wnli", premise, "True or False? answer: ", "False", "True"),
        pair(
            "cb", Pair(firstPrefix: "", secondPrefix: "question: ", secondSuffix: "."),
            "true, false, or neither? answer: ", "false", "neither", "true"),
        pair(
            "sick", premise, "entailment, neutral, or contradiction? answer: ", "entail", "neutral",
            "contradiction", shown: ["entailment", "neutral", "contradiction"]),
    ]

    private static let instructed = [
        card(
            "sst2_instruction", "Review: ", "Sentiment: ", "Negative", "Positive",
            after: "Classify the movie reviews into the categories of Positive and Negative.\n\n"),
        card(
            "tweet_hate_instruction", "Tweet: ", "Label: ", "neutral", "hate",
            after: "Classify tweets that are hateful against immigrants or women as hate and tweets that are "
                + "not hateful against immigrants or women as neutral.\n\n"),
        card(
            "tweet_irony_instruction", "Tweet: ", "Label: ", "neutral", "ironic",
            after: "Classify tweets that are ironic as ironic, and tweets that are not ironic as neutral.\n\n"
        ),
        card(
            "tweet_offensive_instruction", "Tweet: ", "Label: ", "neutral", "offensive",
            after: "Classify tweets that are offensive as offensive, and tweets that are not offensive as "
                + "neutral.\n\n"),
        pair(
            "rte_instruction", premise, "answer: ", "False", "True", question: " ",
            after: "Determine if the answer entails or answers the question.\n\n"),
    ]
}
