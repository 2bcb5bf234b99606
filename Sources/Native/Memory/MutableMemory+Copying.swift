extension MutableMemory {
    /// Copies bytes to a place in this memory.
    ///
    /// - Precondition: they fit there.
    public mutating func copy(_ bytes: Memory, to offset: Int) {
        precondition(offset >= 0 && bytes.byteCount <= byteCount - offset)
        // In bounds by the check above; fresh pages, which only this value writes, overlap nothing.
        unsafe (unsafeAddress + offset).copyMemory(
            from: bytes.unsafeAddress, byteCount: bytes.byteCount)
    }
}
