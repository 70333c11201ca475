import CorvidText
import Synchronization

/// The ids without a token, looked for when they are first asked for, and only then.
final class VocabularyGaps: Sendable {
    private let tokenizer: any Tokenizer
    private let found = Mutex<ForbiddenTokens?>(nil)

    init(of tokenizer: any Tokenizer) {
        self.tokenizer = tokenizer
    }

    var forbidden: ForbiddenTokens {
        found.withLock { found in
            let forbidden = found ?? ForbiddenTokens(gapsOf: tokenizer)
            found = forbidden
            return forbidden
        }
    }
}
