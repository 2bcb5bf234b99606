"""The whole training step: images a second by turns, and peak memory."""

import json
import re
import sys
import tempfile
from pathlib import Path
from statistics import median

from comparisons.throughput import section
from harness import process, report
from harness.contestants import Contestant, training_contestants
from harness.statistics import Rounds

KIND = "train"
TITLE = "Training, ResNet-50 v1.5, 224x224: images a second, and peak memory"
BATCHES = [32]
#: How many of the probed peers take turns with resnet; more would not fit into memory.
FINALISTS = 3
MEMORY_STEPS = 3


def _difference(losses, reference):
    """The largest relative difference of the losses of the first steps."""
    return max(abs(a / b - 1) for a, b in zip(losses, reference))


def _reference(files, batch, threads, log):
    settings = {"precision": "fp32", "mode": "eager", "channels_last": True}
    oracle = Contestant("oracle", "pytorch_training", "fp32", settings)
    worker = process.start(oracle, files, threads, log)
    try:
        return worker.ask({"do": "check", "batch": batch})["losses"]
    finally:
        worker.close()


def _start(contestant, files, batch, threads, reference, log):
    """Starts a peer and sees that it trains the same network; returns its process."""
    worker = process.start(contestant, files, threads, log)
    try:
        losses = worker.ask({"do": "check", "batch": batch})["losses"]
        difference = _difference(losses, reference)
        # Rounding to bfloat16 grows over the steps; another update rule would show at once.
        if not difference <= (1e-3 if contestant.precision == "fp32" else 0.15):
            raise process.Failure(f"trains otherwise: losses off by {difference:.2g}")
        return worker
    except BaseException:
        worker.close()
        raise


def _probe(peers, options, files, batch, reference, folder):
    """Every peer alone, the faster ones twice: its best median rate, its peak memory, or why not."""
    rates, peaks, failed = {}, {}, {}
    for turn in range(2):
        leading = sorted(rates, key=lambda name: max(rates[name]), reverse=True)[: 2 * FINALISTS]
        for index, peer in enumerate(peers):
            if turn > 0 and peer.name not in leading:
                continue
            print(f"probing {peer.name}, {peer.precision}, batch {batch}", file=sys.stderr)
            try:
                log = folder / f"{turn}-{index}.log"
                worker = _start(peer, files, batch, options.threads, reference, log)
                try:
                    peak = worker.ask({"do": "memory"})["peak_megabytes"]
                    answer = worker.ask({"do": "run", "batch": batch, "runs": options.steps})
                finally:
                    worker.close()
            except (process.Failure, OSError, json.JSONDecodeError) as error:
                print(f"  left out: {error}", file=sys.stderr)
                failed[peer.name] = str(error)
                continue
            peaks.setdefault(peer.name, []).append(peak)
            rates.setdefault(peer.name, []).append(answer["images_per_second_median"])
    best = {name: max(values) for name, values in rates.items() if name not in failed}
    return best, {name: median(peaks[name]) for name in best}, failed


def _our_peak(precision, options, files, batch, log):
    command = [files.resnet, "bench", "train", "--batch", batch, "--precision", precision]
    command += ["--threads", options.threads, "--steps", MEMORY_STEPS, "--format", "json"]
    answers = [json.loads(process.timed(command, log)[0]) for _ in range(min(options.rounds, 3))]
    return median(answer["peak_memory_bytes"] / 2**20 for answer in answers)


def _turns(chosen, options, files, batch, reference, folder):
    """Ours and the best peers by turns; returns the rounds and every answer."""
    running, rounds, figures = {}, Rounds(), []
    try:
        for index, contestant in enumerate(chosen):
            log = folder / f"{index}.log"
            if contestant.ours:
                running[contestant] = process.start(contestant, files, options.threads, log)
                continue
            running[contestant] = _start(
                contestant, files, batch, options.threads, reference, log
            )
        for index in range(options.rounds):
            for contestant, worker in running.items():
                answer = worker.ask({"do": "run", "batch": batch, "runs": options.steps})
                rounds.add(contestant.name, answer["images_per_second_median"])
                figure = {"round": index, "contestant": contestant.name}
                figures.append(figure | {"precision": contestant.precision, **answer})
            print(f"round {index + 1} of {options.rounds}", file=sys.stderr)
        return running, rounds, figures
    finally:
        for worker in running.values():
            worker.close()


def _breakdown(answer):
    """Ours by operation kind, as the last turn told it, whatever it tells of each."""
    parts = answer.get("breakdown") or []
    if not parts:
        return ""
    headings = list(parts[0])
    rows = [[_cell(part.get(heading, "")) for heading in headings] for part in parts]
    titles = [heading.replace("_", " ") for heading in headings]
    return "\n\nresnet by kind of operation:\n\n" + report.table(titles, rows)


def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def _probe_table(rates, peaks, peak):
    rows = [["resnet", "", f"{peak:.0f}", "1.00"]]
    for name in sorted(rates, key=rates.get, reverse=True):
        share = f"{peak / peaks[name]:.2f}"
        rows.append([name, f"{rates[name]:.1f}", f"{peaks[name]:.0f}", share])
    headings = ["what", "alone, images/s", "peak, MiB", "resnet's share of the peak"]
    return report.table(headings, rows)


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    sections, data = [], {"rounds": options.rounds, "figures": [], "summary": [], "left_out": {}}
    data["probe"], data["peak_mebibytes"], versions = {}, {}, set()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for batch in options.batches:
            reference = _reference(files, batch, options.threads, folder / "oracle.log")
            for precision in options.precisions:
                key = f"{precision}, batch {batch}"
                ours, *peers = training_contestants(precision)
                peers = [p for p in peers if re.search(options.contestants, p.name)]
                rates, peaks, failed = _probe(peers, options, files, batch, reference, folder)
                peak = _our_peak(precision, options, files, batch, folder / "memory.log")
                data["probe"][key], data["left_out"][key] = rates, failed
                data["peak_mebibytes"][key] = {"resnet": peak, **peaks}
                best = sorted(rates, key=rates.get, reverse=True)[:FINALISTS]
                chosen = [ours, *(p for p in peers if p.name in best)]
                running, rounds, figures = _turns(
                    chosen, options, files, batch, reference, folder
                )
                versions |= {worker.version for worker in running.values()}
                data["figures"] += [{"batch": batch, **figure} for figure in figures]
                text, summary = section(precision, [batch], running, {batch: rounds})
                data["summary"] += summary
                last = [f for f in figures if f["contestant"] == ours.name][-1]
                text += _breakdown(last)
                text += "\n\nEvery peer alone, and peak memory of a process that takes "
                text += f"{MEMORY_STEPS} steps:\n\n" + _probe_table(rates, peaks, peak)
                text += "".join(f"\n\nLeft out: {name}: {why}" for name, why in failed.items())
                sections.append(text)
    machine["versions"] = ", ".join(sorted(versions))
    machine["rounds"] = f"{options.rounds} of {options.steps} steps after a warm-up"
    machine["training"] = "SGD, momentum 0.9, weight decay 0.0001, label smoothing 0.1; one batch"
    machine["weights"] = "random, seeded" if files.random_weights else files.weights.name
    return sections, data
