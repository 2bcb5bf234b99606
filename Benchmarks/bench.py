"""Compares resnet with other runtimes on this machine; `make bench` calls it.

The comparisons: `throughput`, `memory`, `busy`, `variants`, `classify` and `loader` (with
--photos), `train`, `load`, or `all`.
Each writes a dated table and its raw figures to Benchmarks/Results/. docs/benchmarks.md says how
it is measured.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

from comparisons import busy, classify, loading, memory, opening, throughput, training, variants
from harness import files, machine, report
from harness.process import Failure

COMPARISONS = {
    module.KIND: module
    for module in (throughput, memory, busy, variants, classify, loading, training, opening)
}


def _numbers(text):
    return [int(number) for number in text.split(",")]


def _words(text):
    return text.split(",")


def _parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("comparison", nargs="?", default="throughput", choices=[*COMPARISONS, "all"])
    add("--rounds", type=int, default=10, help="turns of each contestant (10)")
    add("--seconds", type=float, default=2, help="length of a turn, without its warm-up (2)")
    add("--steps", type=int, default=5, help="length of a turn of train, without its warm-up (5)")
    add("--batches", type=_numbers, help="batch sizes (1,8,32; 32 in train)")
    add("--precisions", type=_words, default=["bf16", "fp32"], help="bf16,fp32")
    add("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each")
    add("--weights", help=".pth or .safetensors of ResNet-50 v1.5; random ones without it")
    add("--photos", help="folder of photos, for classify and loader")
    add("--contestants", default="", help="only peers whose name matches this pattern")
    add("--resnet", help="the binary to measure (.build/release/resnet)")
    add("--output", type=Path, help="folder of the results (Benchmarks/Results)")
    return parser.parse_args()


def main():
    options = _parse()
    chosen = [options.comparison]
    if options.comparison == "all":
        chosen = [
            name for name in COMPARISONS if name not in ("classify", "loader") or options.photos
        ]
    needs_network = any(getattr(COMPARISONS[name], "NEEDS_NETWORK", True) for name in chosen)
    prepared = files.prepare(options.weights, options.resnet, needs_network)
    batches = options.batches
    # The command as a reader can repeat it: without the places of this machine's files.
    arguments = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    command = shlex.join(["Scripts/bench", *arguments])
    for name in chosen:
        comparison = COMPARISONS[name]
        options.batches = batches or getattr(comparison, "BATCHES", [1, 8, 32])
        facts = machine.describe(options.threads)
        try:
            sections, data = comparison.run(options, prepared, facts)
        except Failure as error:
            raise SystemExit(f"{name}: {error}") from error
        path = report.write(
            name, comparison.TITLE, facts, command, sections, data, options.output
        )
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
