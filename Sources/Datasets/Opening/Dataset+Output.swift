extension Dataset {
    /// Refuses a result's file or folder that is one of the data's, or lies in or below one of its folders.
    ///
    /// The folders of data that is named by its files count, too, but for the working folder and those around it, and for
    /// those of record files, which are results themselves. To be called before work starts.
    ///
    /// - Parameters:
    ///   - output: what is to be written; it, and folders around it, need not be there.
    ///   - data: what results are of, as `DatasetSplit.open` takes it.
    /// - Throws: `DatasetError` with code `.invalidOption`, or as opening the data does.
    package static func checkOutput(_ output: String, data: String) throws(DatasetError) {
        try DataPlaces(of: data).check(output)
    }
}
