/// What some of a data set's pictures are for.
public enum DatasetPart: String, Sendable, Hashable, CaseIterable {
    /// To learn from.
    case training
    /// To measure by, also while learning.
    case validation
    /// To measure by once, at the end.
    case test
    /// Everything there is.
    case all

    /// The part that a folder, a column's value or a part of a shard's name stands for; `nil` for another word.
    package init?(word: some StringProtocol) {
        switch word.lowercased() {
        case "train", "training": self = .training
        case "val", "valid", "validation", "dev": self = .validation
        case "test", "testing": self = .test
        default: return nil
        }
    }

    /// The part that a path names: in a folder, or in a file's name as in `imagenet-val-000003.tar`.
    package init?(inPath path: String) {
        for component in path.split(separator: "/").reversed() {
            let words = component.split { !$0.isLetter }
            if let part = words.lazy.compactMap({ DatasetPart(word: $0) }).first {
                self = part
                return
            }
        }
        return nil
    }
}
