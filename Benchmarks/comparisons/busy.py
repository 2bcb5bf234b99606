"""Throughput beside another process that keeps one core busy, against the quiet machine."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from harness import process, report
from harness.contestants import contestants
from harness.statistics import Rounds

KIND = "busy"
TITLE = "Inference beside a busy process"
CHOSEN = {"resnet", "PyTorch compile, freezing", "OpenVINO latency"}


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    machine["weights"] = "random, seeded" if files.random_weights else files.weights.name
    machine["busy process"] = "one thread at nice 0 that never waits"
    chosen = [contestant for contestant in contestants("bf16") if contestant.name in CHOSEN]
    sections, data = [], {}
    with tempfile.TemporaryDirectory() as folder:
        running = {
            contestant.name: process.start(
                contestant, files, options.threads, Path(folder) / f"{index}.log"
            )
            for index, contestant in enumerate(chosen)
        }
        try:
            for batch in options.batches:
                section, figures = _measure(options, running, batch)
                sections.append(section)
                data[f"batch {batch}"] = figures
        finally:
            for worker in running.values():
                worker.close()
    return sections, {"images_per_second": data}


def _measure(options, running, batch):
    quiet, busy = Rounds(), Rounds()
    for index in range(options.rounds):
        for name, worker in running.items():
            request = {"do": "run", "batch": batch, "seconds": options.seconds}
            # The whole turn counts here: a median would leave out the turns lost to the other.
            quiet.add(name, _rate(worker.ask(request)))
            spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                time.sleep(0.2)
                busy.add(name, _rate(worker.ask(request)))
            finally:
                spinner.kill()
                spinner.wait()
        print(f"batch {batch}: round {index + 1} of {options.rounds}", file=sys.stderr)
    rows = []
    for name in running:
        kept = [b / q for b, q in zip(busy.values[name], quiet.values[name])]
        shares = f"{median(kept):.0%} ({min(kept):.0%}-{max(kept):.0%})"
        rows.append([name, f"{quiet.median(name):.1f}", f"{busy.median(name):.1f}", shares])
    headings = ["what", "quiet, images/s", "busy, images/s", "kept: median (worst-best)"]
    text = f"## Batch {batch}, bf16\n\n" + report.table(headings, rows)
    return text, {"quiet": quiet.values, "busy": busy.values}


def _rate(answer):
    return answer.get("images_per_second", answer["images_per_second_median"])
