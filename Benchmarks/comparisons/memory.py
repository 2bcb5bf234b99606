"""Peak resident memory of a process that infers at batch 32 in bfloat16."""

import sys
import tempfile
from pathlib import Path
from statistics import median

from harness import process, report
from harness.contestants import contestants

KIND = "memory"
TITLE = "Peak memory of inference, batch 32, bfloat16"
BATCH = 32


def _peer_peak(contestant, files, threads, log):
    """Starts a worker, has it run for a second, and asks for its own peak."""
    worker = process.start(contestant, files, threads, log)
    try:
        worker.ask({"do": "run", "batch": BATCH, "seconds": 1})
        return worker.ask({"do": "memory"})["peak_megabytes"]
    finally:
        worker.close()


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    machine["weights"] = "random, seeded" if files.random_weights else files.weights.name
    chosen = [
        contestant
        for contestant in contestants("bf16")
        if not contestant.environment and not contestant.queued
    ]
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for index in range(min(options.rounds, 3)):
            for contestant in chosen:
                if contestant.ours:
                    command = [files.resnet, "bench", "infer", "--batch", BATCH]
                    command += ["--precision", "bf16", "--threads", options.threads]
                    command += ["--seconds", "1", "--format", "json"]
                    _, _, peak = process.timed(command, log)
                else:
                    peak = _peer_peak(contestant, files, options.threads, log)
                peaks.setdefault(contestant.name, []).append(peak)
            print(f"memory: round {index + 1}", file=sys.stderr)
    ours = median(peaks["resnet"])
    rows = [
        [name, f"{median(values):.0f}", f"{ours / median(values):.2f}"]
        for name, values in peaks.items()
    ]
    text = report.table(["what", "peak, MiB", "resnet's share of it"], rows)
    return [text], {"peak_mebibytes": peaks}
