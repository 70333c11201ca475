import CorvidModels
import Testing

@Suite struct CosineSearchTests {
    @Test("the vectors most like a query come first, of equal ones the earlier")
    func order() {
        let vectors: [[Float]] = [[1, 0], [0, 2], [-3, 0], [5, 5], [0, 7], [0, 0]]
        let matches = CosineSearch.nearest(to: [0, 1], in: vectors, count: 10)
        #expect(matches.map(\.index) == [1, 4, 3, 0, 2, 5])
        #expect(matches[0].score == 1)
        #expect(abs(matches[2].score - 0.5.squareRoot()) < 1e-12)
        #expect(matches[5].score == 0)
        #expect(CosineSearch.nearest(to: [0, 1], in: vectors, count: 2).map(\.index) == [1, 4])
        #expect(CosineSearch.nearest(to: [1], in: [], count: 3).isEmpty)
    }
}
