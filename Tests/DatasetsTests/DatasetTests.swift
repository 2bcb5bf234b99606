import Datasets
import Testing

@Suite("Data sets")
struct DatasetTests {
    private struct NoSource: SampleSource {
        func content(of sample: Sample) throws(DatasetError) -> SampleContent {
            throw DatasetError(.notFound, "\(sample.name): there is nothing")
        }
    }

    @Test("count their classes, and keep the order of what is selected")
    func countsAndSelects() {
        let samples = [0, 1, 1, 2].enumerated().map { place, label in
            Sample(name: "\(place)", label: label, place: place)
        }
        let dataset = Dataset(
            name: "four", classNames: ["a", "b", "c"], samples: samples, source: NoSource())
        let counts = dataset.classCounts
        #expect(counts == [1, 2, 1])
        let names = dataset.selecting([3, 0]).samples.map { $0.name }
        #expect(names == ["3", "0"])
    }
}
