"""From a weight file to a network that is ready: cold, when the disk has to be asked, and warm."""

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from harness import process, report
from harness.files import BENCHMARKS
from harness.statistics import Rounds

KIND = "load"
TITLE = "From a weight file to a network"
TITLES = {"cold": "Cold: the file has to come from the disk", "warm": "Warm: from the page cache"}


def _forget(path):
    """Takes a file out of the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _commands(files, threads):
    ours = [files.resnet, "bench", "load", "--weights", files.weights, "--format", "json"]
    ours += ["--threads", threads, "--precision"]
    script = [sys.executable, "-m", "peers.opening_script", "--weights", files.weights]
    commands = {"resnet, fp32": [*ours, "fp32"], "resnet, bf16": [*ours, "bf16"]}
    commands["PyTorch, load_state_dict"] = script
    if not str(files.weights).endswith(".safetensors"):
        commands["PyTorch, mapped and assigned"] = [*script, "--mmap"]
    return commands


def _memory(answers, key, size):
    """The most that a process took beyond what it had before, over the file's size."""
    if key not in answers[0]:
        return ""
    return f"{max(each[key] - each['peak_memory_bytes_before'] for each in answers) / size:.2f}"


def _table(rounds, raw, size):
    rows = []
    for name, answers in raw.items():
        read = [1e3 * each["read_seconds"] for each in answers if "read_seconds" in each]
        times = [f"{1e3 / value(name):.0f}" for value in (rounds.median, rounds.worst)]
        memory = [
            _memory(answers, key, size) for key in ("peak_memory_bytes_read", "peak_memory_bytes")
        ]
        ratio = f"{rounds.ratio('resnet, fp32', name):.2f}"
        rows.append([name, f"{median(read):.0f}" if read else "", *times, *memory, ratio])
    headings = ["what", "read, ms", "ready, ms", "worst", "memory when read", "when ready"]
    return report.table([*headings, "resnet fp32 faster by"], rows)


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    machine["weights"] = "random, seeded" if files.random_weights else files.weights.name
    size = files.weights.stat().st_size
    machine["file"] = f"{size / 1e6:.1f} MB"
    commands = _commands(files, options.threads)
    sections, data = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "log"
        for state in TITLES:
            rounds, raw = Rounds(), {}
            for index in range(options.rounds):
                for name, command in commands.items():
                    if state == "cold":
                        _forget(files.weights)
                    output, _, _ = process.timed(command, log, cwd=BENCHMARKS)
                    answer = json.loads(output)
                    # Networks a second, so that higher is better here as everywhere.
                    rounds.add(name, 1 / answer["ready_seconds"])
                    raw.setdefault(name, []).append(answer)
                print(f"{state}: round {index + 1} of {options.rounds}", file=sys.stderr)
            sections.append(f"## {TITLES[state]}\n\n" + _table(rounds, raw, size))
            data[state] = raw
    return sections, {"loads": data}
