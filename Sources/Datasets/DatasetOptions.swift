/// How data is opened where it leaves a choice.
public struct DatasetOptions: Sendable, Hashable {
    /// The share of each class that is measured by, where the data does not say which pictures are; above 0
    /// and below 1.
    public var validationShare: Double
    /// What the choice of these pictures comes of.
    public var seed: UInt64
    /// Whether a list may name files outside its folder.
    public var allowsOutsidePaths: Bool
    /// The label of the first class in TFRecord files: 1 as ImageNet's have it, where 0 is the background.
    public var firstRecordLabel: Int

    /// Makes options.
    public init(
        validationShare: Double = 0.2, seed: UInt64 = 42, allowsOutsidePaths: Bool = false,
        firstRecordLabel: Int = 1
    ) {
        self.validationShare = validationShare
        self.seed = seed
        self.allowsOutsidePaths = allowsOutsidePaths
        self.firstRecordLabel = firstRecordLabel
    }

    /// Refuses numbers that make no sense.
    ///
    /// - Throws: `DatasetError` with code `.invalidOption`.
    func check() throws(DatasetError) {
        guard validationShare > 0, validationShare < 1 else {
            throw DatasetError(
                .invalidOption,
                "share of pictures to measure by: expected more than 0 and less than 1, found "
                    + "\(validationShare)")
        }
        guard (0...1).contains(firstRecordLabel) else {
            throw DatasetError(
                .invalidOption,
                "first label of TFRecord files: expected 0 or 1, found \(firstRecordLabel)")
        }
    }
}
