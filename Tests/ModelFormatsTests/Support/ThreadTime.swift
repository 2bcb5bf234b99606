import Foundation

/// How long the calling thread has had a processor, to some milliseconds; `nil` where the system does not say.
///
/// Other processes make it no longer, unlike the time on a clock. Source: Linux, `Documentation/scheduler/sched-stats.rst`.
func threadTime() -> Duration? {
    guard let data = FileManager.default.contents(atPath: "/proc/thread-self/schedstat"),
        let first = String(decoding: data, as: UTF8.self).split(separator: " ").first,
        let nanoseconds = Int64(first)
    else { return nil }
    return .nanoseconds(nanoseconds)
}
