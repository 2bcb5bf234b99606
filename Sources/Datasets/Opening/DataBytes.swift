package import Native

/// Opens data files that lie in memory: what fuzzers and tests of broken files need.
package enum DataBytes {
    /// Reads a file's bytes as one of the forms `tar`, `TFRecord`, `records` and `list`.
    ///
    /// - Throws: `DatasetError`, with code `.invalidOption` for another form.
    package static func open(_ memory: Memory, as form: String) throws(DatasetError) -> Dataset {
        let data: LabelledSamples
        switch form {
        case "tar": data = try TarShards(name: form, paths: []).read([("0", memory)])
        case "TFRecord":
            data = try TFRecordShards(name: form, paths: [], firstLabel: 1).read([("0", memory)])
        case "records": data = try RecordFile(memory, name: form).open()
        case "list": data = try SampleList(path: form, allowsOutsidePaths: false).read(memory)
        default:
            throw DatasetError(
                .invalidOption, "expected tar, TFRecord, records or list, found \(form)")
        }
        return data.dataset(Array(data.samples.indices))
    }
}
