internal import CPJRT

/// An object of a plugin, destroyed with the last reference to it and before what it was made from.
///
/// Safe to share: the pointer never changes, and a plugin's functions may be called from any thread.
@safe
final class PJRTHandle: @unchecked Sendable {
    let plugin: PJRTPlugin
    let pointer: UnsafeMutableRawPointer
    /// What this was made from; let go after `deinit` has run.
    private let origin: PJRTHandle?
    private let destroy: (OpaquePointer?, UnsafeMutableRawPointer?) -> Void

    /// Takes over an object that `destroy` destroys.
    ///
    /// - Throws: `NativeError` with code `.libraryFailure` where there is none, although the plugin reported success.
    @unsafe
    init(
        _ pointer: UnsafeMutableRawPointer?, of plugin: PJRTPlugin, from origin: PJRTHandle? = nil,
        destroy: @escaping (OpaquePointer?, UnsafeMutableRawPointer?) -> Void
    ) throws(NativeError) {
        guard let pointer = unsafe pointer else {
            throw NativeError(
                .libraryFailure,
                "\(fileName(of: plugin.path)): a call succeeded but gave nothing")
        }
        self.plugin = plugin
        unsafe self.pointer = pointer
        self.origin = origin
        unsafe self.destroy = destroy
    }

    deinit {
        // Nobody else has the pointer any more.
        unsafe destroy(plugin.table, pointer)
    }
}
