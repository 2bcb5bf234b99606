"""Reads a weight file into ResNet-50 as a PyTorch user does, and prints how long that took and what memory.

Importing PyTorch, and what memory that takes, is outside of the figures.
"""

import argparse
import json
import time


def peak():
    """The most memory that this process has had, in bytes."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--mmap", action="store_true", help="map the file rather than read it")
    options = parser.parse_args()

    import torch

    from peers.network import ResNet50, load_weights

    before = peak()
    start = time.perf_counter()
    state = load_weights(options.weights, mmap=options.mmap)
    if options.mmap:
        with torch.device("meta"):
            network = ResNet50()
    else:
        network = ResNet50()
    network.load_state_dict(state, strict=True, assign=options.mmap)
    network.eval()
    seconds = time.perf_counter() - start
    figures = {"ready_seconds": seconds, "peak_memory_bytes_before": before}
    print(json.dumps({**figures, "peak_memory_bytes": peak()}))


if __name__ == "__main__":
    main()
