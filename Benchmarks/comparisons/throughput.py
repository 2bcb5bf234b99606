"""Images a second of every contestant, by turns: A B C D, A B C D, ..."""

import json
import re
import sys
import tempfile
from pathlib import Path

from harness import process, report
from harness.contestants import Contestant, contestants
from harness.statistics import Rounds

KIND = "throughput"
TITLE = "Inference, ResNet-50 v1.5, 224x224: images a second"


def _logits(contestant, files, threads, folder):
    worker = process.start(contestant, files, threads, folder / "check.log")
    try:
        return worker.ask({"do": "check"})["logits"]
    finally:
        worker.close()


def _agreement(logits, reference):
    """The largest difference to the reference, as a share of the reference's largest value."""
    largest = max(abs(value) for value in reference)
    return max(abs(a - b) for a, b in zip(logits, reference)) / largest


def _start(chosen, files, batches, threads, folder):
    """Starts and warms all contestants; those that cannot run are named and left out."""
    oracle = Contestant("oracle", "pytorch", "fp32", {"precision": "fp32", "mode": "eager"})
    reference = _logits(oracle, files, threads, folder)
    running, failed = {}, {}
    for index, contestant in enumerate(chosen):
        print(f"starting {contestant.name}, {contestant.precision}", file=sys.stderr)
        try:
            worker = process.start(contestant, files, threads, folder / f"{index}.log")
            running[contestant] = worker
            if not contestant.ours:
                difference = _agreement(worker.ask({"do": "check"})["logits"], reference)
                bound = 1e-3 if contestant.precision == "fp32" else 0.1
                if not difference <= bound:
                    raise process.Failure(f"computes another network: off by {difference:.2g}")
            for batch in batches:
                worker.ask({"do": "run", "batch": batch, "seconds": 0.1})
        except (process.Failure, OSError, json.JSONDecodeError) as error:
            print(f"  left out: {error}", file=sys.stderr)
            failed[contestant.name] = str(error)
            if contestant in running:
                running.pop(contestant).close()
    return running, failed


def section(precision, batches, running, rounds):
    """One table for a precision, and a line per batch size on the best peer."""
    ours = "resnet"
    headings = ["contestant"] + [
        f"batch {batch}: median (worst-best)" for batch in batches
    ]
    rows = []
    for contestant in running:
        cells = []
        for batch in batches:
            r, name = rounds[batch], contestant.name
            cells.append(f"{r.median(name):.1f} ({r.worst(name):.1f}-{r.best(name):.1f})")
        rows.append([contestant.name + (" *" if contestant.queued else ""), *cells])
    text = f"## {precision}\n\n" + report.table(headings, rows)
    queued = any(contestant.queued for contestant in running)
    text += "\n\n\\* several batches in flight at once\n" if queued else "\n"
    summary = []
    if ours in {contestant.name for contestant in running}:
        rows = []
        for batch in batches:
            r = rounds[batch]
            peers = [contestant for contestant in running if not contestant.ours]
            single = [contestant.name for contestant in peers if not contestant.queued]
            kinds = [("one batch at a time", single)]
            kinds += [("any", [p.name for p in peers])] if queued else []
            for kind, names in kinds:
                if not names:
                    continue
                leader = r.leader(names)
                fastest = max(names, key=r.best)
                row = {
                    "batch": batch,
                    "precision": precision,
                    "peers": kind,
                    "best_peer": leader,
                    "ratio_of_medians": r.median(ours) / r.median(leader),
                    "median_of_round_ratios": r.ratio(ours, leader),
                    "ratio_of_bests": r.best(ours) / r.best(fastest),
                }
                summary.append(row)
                rows.append(
                    [f"{batch}, {kind}" if queued else f"{batch}", leader]
                    + [f"{row[key]:.2f}" for key in list(row)[4:]]
                )
        headings = ["batch, peers" if queued else "batch", "best peer", "medians", "round by round", "bests"]
        text += "\nresnet over the best peer:\n\n" + report.table(headings, rows)
    return text, summary


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    sections, data = [], {"rounds": options.rounds, "figures": [], "summary": [], "left_out": {}}
    versions = set()
    with tempfile.TemporaryDirectory() as folder:
        # One precision after the other: fewer processes share the memory.
        for precision in options.precisions:
            chosen = [
                contestant
                for contestant in contestants(precision)
                if contestant.ours or re.search(options.contestants, contestant.name)
            ]
            running, failed = _start(
                chosen, files, options.batches, options.threads, Path(folder)
            )
            data["left_out"].update({f"{name}, {precision}": why for name, why in failed.items()})
            rounds = {batch: Rounds() for batch in options.batches}
            try:
                for index in range(options.rounds):
                    for batch in options.batches:
                        for contestant, worker in running.items():
                            request = {"do": "run", "batch": batch, "seconds": options.seconds}
                            answer = worker.ask(request)
                            rate = answer["images_per_second_median"]
                            rounds[batch].add(contestant.name, rate)
                            figure = {"round": index, "contestant": contestant.name}
                            figure |= {"precision": precision, "batch": batch, **answer}
                            data["figures"].append(figure)
                    print(f"{precision}: round {index + 1} of {options.rounds}", file=sys.stderr)
            finally:
                versions |= {worker.version for worker in running.values()}
                for worker in running.values():
                    worker.close()
            text, summary = section(precision, options.batches, running, rounds)
            sections.append(text)
            data["summary"] += summary
    machine["versions"] = ", ".join(sorted(versions))
    machine["rounds"] = f"{options.rounds} of {options.seconds:g} s after 0.5 s of warm-up"
    machine["weights"] = "random, seeded" if files.random_weights else files.weights.name
    if data["left_out"]:
        lines = [f"- {name}: {why}" for name, why in data["left_out"].items()]
        sections.append("## Left out\n\n" + "\n".join(lines))
    return sections, data
