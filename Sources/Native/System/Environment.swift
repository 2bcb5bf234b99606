internal import Glibc

/// The value of an environment variable; `nil` where it is not set.
///
/// The process never changes its environment, so reading it is safe from any thread.
public func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// How many processors this process may use.
public func availableProcessorCount() -> Int {
    var set = cpu_set_t()
    // The system fills as many bytes as it is told of.
    guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else {
        return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
    let count = unsafe withUnsafeBytes(of: &set) { bytes in
        unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }
    return max(1, count)
}
