// OneDNNBackend
