/// Whether the tests were built with optimisation, which makes plain-Swift arithmetic some fifty times faster.
let isOptimizedBuild: Bool = {
    #if DEBUG
        false
    #else
        true
    #endif
}()
