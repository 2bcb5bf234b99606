internal import Glibc

/// The value of an environment variable; `nil` where it is not set.
///
/// The process never changes its environment, so reading it is safe from any thread.
public func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
