"""A long-lived process that holds one warm peer and measures it when told to.

Reads one JSON object per line: `{"do": "run", "batch": 8, "seconds": 2}`, with `"runs": 5` instead
of the seconds where a run is long, `{"do": "check"}` or `{"do": "memory"}`. Answers each with one JSON object per line, after a first line that says what runs.
"""

import argparse
import importlib
import json
import resource
import statistics
import sys
import time

PEERS = ["pytorch", "pytorch_training", "openvino", "onnxruntime"]


def measure(peer, batch, seconds, warmup, runs=3):
    """Runs for `seconds`, at least `runs` times, after `warmup`.

    Returns rates from within this process.
    """
    peer.prepare(batch)
    stamps = []
    deadline = [time.perf_counter() + warmup]

    def finished(count):
        now = time.perf_counter()
        stamps.append((now, count))
        return now >= deadline[0]

    peer.loop(batch, finished)
    stamps.clear()
    processor = time.process_time()
    start = time.perf_counter()
    deadline[0] = start + seconds
    peer.loop(batch, finished)
    while len(stamps) < runs:
        peer.loop(batch, finished)
    processor = time.process_time() - processor
    # A queue that was empty accepts its first requests at once: the second group counts first.
    times = [time for time, _ in stamps]
    skip = 1 if stamps[0][1] > 1 else 0
    edges = times[skip:] if skip else [start] + times
    intervals = [after - before for before, after in zip(edges, edges[1:])]
    counts = [count for _, count in stamps][-len(intervals):]
    rates = [batch * count / max(gap, 1e-9) for count, gap in zip(counts, intervals)]
    total = batch * sum(counts) / (edges[-1] - edges[0])
    latencies = sorted(gap * 1e3 for gap in intervals)
    return {
        "images_per_second": total,
        "images_per_second_median": statistics.median(rates),
        "images_per_second_best": max(rates),
        "latency_ms_median": statistics.median(latencies),
        "latency_ms_p99": latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))],
        "runs": len(intervals),
        "processor_seconds_per_run": processor / sum(count for _, count in stamps),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, choices=PEERS)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--variant", default="v1.5")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=float, default=0.5)
    options = parser.parse_args()

    # Libraries may print; answers keep the real standard output to themselves.
    answers = sys.stdout
    sys.stdout = sys.stderr

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    module = importlib.import_module(f"peers.{options.peer}")
    peer = module.Peer(
        json.loads(options.settings), options.weights, options.variant, options.threads
    )
    answer({"ready": True, "version": peer.version()})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "run":
            seconds, runs = request.get("seconds", 0), request.get("runs", 3)
            answer(measure(peer, request["batch"], seconds, options.warmup, runs))
        elif request["do"] == "check" and hasattr(peer, "first_losses"):
            answer({"losses": peer.first_losses(request["batch"])})
        elif request["do"] == "check":
            answer({"logits": peer.logits(request.get("batch", 1))[0].astype(float).tolist()})
        elif request["do"] == "memory":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer({"peak_megabytes": peak / 1024})


if __name__ == "__main__":
    main()
