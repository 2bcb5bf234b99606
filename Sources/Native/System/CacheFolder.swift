/// Where this program keeps what can be fetched or made again: `RESNET_CACHE`, else `swift-resnet` in
/// `XDG_CACHE_HOME`, else `.cache/swift-resnet` in the home folder; `nil` where none of them is set.
public func cacheFolder(_ environment: [String: String]) -> String? {
    if let folder = environment["RESNET_CACHE"], !folder.isEmpty { return folder }
    // The XDG rules: a relative path is to be ignored.
    if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
        return "\(base)/swift-resnet"
    }
    if let home = environment["HOME"], !home.isEmpty { return "\(home)/.cache/swift-resnet" }
    return nil
}

/// Where this program keeps what can be fetched or made again, by the process's own environment.
public func cacheFolder() -> String? {
    let names = ["RESNET_CACHE", "XDG_CACHE_HOME", "HOME"]
    var environment: [String: String] = [:]
    for name in names { environment[name] = environmentVariable(name) }
    return cacheFolder(environment)
}
