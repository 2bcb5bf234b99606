internal import CKernels

/// A kernel of another library, prepared for each group of threads.
///
/// Safe to share: the contexts are made before and released after all use, each is used by one group of threads
/// at a time, and its library allows different units at the same time.
@safe
public final class ExternalKernel: @unchecked Sendable {
    let function: ck_external
    let contexts: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    let unitCount: Int
    let inputByteCount: Int
    let outputByteCount: Int
    private let count: Int
    private let release: @convention(c) (UnsafeMutableRawPointer?) -> Void

    @unsafe
    init(
        function: @escaping ck_external, contexts: [UnsafeMutableRawPointer?], unitCount: Int,
        inputByteCount: Int, outputByteCount: Int,
        release: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) {
        unsafe self.function = function
        unsafe self.contexts = .allocate(capacity: max(contexts.count, 1))
        for index in unsafe contexts.indices {
            unsafe (self.contexts + index).initialize(to: contexts[index])
        }
        unsafe count = contexts.count
        self.unitCount = unitCount
        self.inputByteCount = inputByteCount
        self.outputByteCount = outputByteCount
        unsafe self.release = release
    }

    deinit {
        for index in 0..<count { unsafe release(contexts[index]) }
        unsafe contexts.deallocate()
    }
}
