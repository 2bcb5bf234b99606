"""Training and inference on one GPU: ours, PyTorch AMP and plain JAX, in under eight minutes.

    python3 -m gpu.bench [--resnet BINARY] [--output FOLDER] [--minutes 7.5] [--all] [--dry-run]

Every figure comes from a process of its own. What there was no time for is listed as such, and so is what failed,
with the last line that it said. --dry-run takes the processor, small images and single steps instead, to see that
all of it runs: its figures mean nothing.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Bench:
    """What is measured, and what came of it."""

    def __init__(self, options):
        self.options = options
        self.start = time.monotonic()
        self.rows, self.missing, self.versions = [], [], {}
        self.environment = dict(os.environ, XLA_PYTHON_CLIENT_PREALLOCATE="false")
        self.environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        libraries = Path(options.resnet).resolve().parent.parent / "lib" / "resnet"
        if libraries.is_dir():
            paths = [str(libraries), self.environment.get("LD_LIBRARY_PATH", "")]
            self.ours = dict(self.environment, LD_LIBRARY_PATH=":".join(filter(None, paths)))
        else:
            self.ours = dict(self.environment)
        plugin = None if options.dry_run else plugin_path()
        if plugin:
            self.ours.setdefault("RESNET_PJRT_PLUGIN", plugin)
        if options.dry_run:
            self.environment["JAX_PLATFORMS"] = "cpu"

    def remaining(self):
        return self.options.minutes * 60 - (time.monotonic() - self.start)

    def call(self, name, command, environment, limit=240):
        """The JSON that a command prints last; `None`, with a note, where it fails or time is over."""
        if self.remaining() < 15:
            self.missing.append((name, "no time left"))
            return None
        print(f"{self.options.minutes * 60 - self.remaining():5.0f} s: {name}", file=sys.stderr)
        try:
            done = subprocess.run(
                command, env=environment, cwd=HERE.parent, capture_output=True, text=True,
                timeout=min(limit, max(self.remaining(), 1)), check=False)
        except subprocess.TimeoutExpired:
            self.missing.append((name, "took too long"))
            return None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
            self.missing.append((name, lines[-1][:300]))
            return None
        # Ours prints over several lines, the workers in one after what libraries may say.
        text = done.stdout[done.stdout.index("{"):]
        return json.loads(text)

    # The contestants

    def resnet(self, task, batch, precision):
        options = self.options
        command = [
            options.resnet, "bench", task, "--device", options.device, "--batch", str(batch),
            "--precision", precision, "--size", str(options.size), "--format", "json",
        ]
        command += ["--steps", str(options.steps)] if task == "train" else [
            "--seconds", str(options.seconds)]
        found = self.call(f"ours, {task} {batch} {precision}", command, self.ours)
        if found:
            self.versions["ours"] = found["device"]
            return found["images_per_second_median"]
        return None

    def peer(self, module, task, batch, precision, *extra):
        options = self.options
        command = [
            sys.executable, "-m", f"gpu.{module}", "--task", task, "--batch", str(batch),
            "--precision", precision, "--size", str(options.size), "--steps", str(options.steps),
            *extra,
        ]
        name = f"{module.removesuffix('_worker')} {' '.join(extra[:2])}, {task} {batch} {precision}"
        found = self.call(name, command, self.environment)
        if found:
            self.versions[module] = found["version"]
            return found["images_per_second"]
        return None

    def torch(self, mode, task, batch, precision):
        device = "cpu" if self.options.dry_run else "cuda"
        return self.peer(
            "torch_worker", task, batch, precision, "--mode", mode, "--device", device)

    def row(self, task, batch, precision):
        """One line of the table, measured now."""
        figures = [
            self.resnet(task, batch, precision), self.torch("eager", task, batch, precision),
            self.torch("compile", task, batch, precision),
            self.peer("jax_worker", task, batch, precision),
        ]
        self.rows.append((task, batch, precision, figures))

    # What else is looked at

    def losses(self):
        """The loss of each of fifty steps on the same images: this device's and the processor's."""
        curves = {}
        steps = 2 if self.options.dry_run else 50
        batch = 4 if self.options.dry_run else 32
        runs = [("cpu", "fp32"), (self.options.device, "fp32"), (self.options.device, "bf16")]
        for device, precision in runs:
            found = self.call(
                f"losses, {device} {precision}",
                [
                    self.options.resnet, "bench", "train", "--device", device, "--batch",
                    str(batch), "--precision", precision, "--size", str(self.options.size),
                    "--steps", str(steps), "--learning-rate", "0.002", "--format", "json",
                ],
                self.ours)
            if found:
                curves[f"{device} {precision}"] = found["losses"]
        return curves

    def kernels(self):
        """Seconds of a step by kind of kernel."""
        program = self.options.output / "step.mlir"
        batch = 2 if self.options.dry_run else 256
        compiled = self.call(
            "the program of a step",
            [
                self.options.resnet, "compile", "--for", "h200", "--batch", str(batch), "--size",
                str(self.options.size), "--stablehlo", str(program), "--format", "json",
            ],
            self.ours)
        if not compiled and not program.exists():
            return None
        return self.call(
            "a step by kernels",
            [sys.executable, "-m", "gpu.kernels", str(program)], self.environment)


def plugin_path():
    """NVIDIA's plugin of the Python environment, if there is one."""
    for version in (13, 12):
        try:
            spec = importlib.util.find_spec(f"jax_plugins.xla_cuda{version}")
        except ModuleNotFoundError:
            return None
        if spec and spec.submodule_search_locations:
            path = Path(spec.submodule_search_locations[0]) / "xla_cuda_plugin.so"
            if path.exists():
                return str(path)
    return None


def machine():
    """What the figures are of."""
    facts = {"python": platform.python_version(), "processors": len(os.sched_getaffinity(0))}
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        facts["gpu"] = subprocess.run(
            query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        facts["gpu"] = "none"
    return facts


def rate(figure):
    return "-" if figure is None else f"{figure:.0f}"


def report(bench, curves, kernels):
    """The result as Markdown."""
    facts = {**machine(), **bench.versions}
    lines = ["# One GPU", ""]
    if bench.options.dry_run:
        lines += ["**A dry run on the processor: no figure here means anything.**", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += [
        "", "Images a second, the median of steps, each with its pixels brought from the machine's memory.", "",
        "| | ours | PyTorch eager | PyTorch compiled | JAX | ours over PyTorch's best |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for task, batch, precision, figures in bench.rows:
        best = max((figure for figure in figures[1:3] if figure), default=None)
        ratio = f"{figures[0] / best:.2f}" if figures[0] and best else "-"
        cells = " | ".join(rate(figure) for figure in figures)
        lines.append(f"| {task}, batch {batch}, {precision} | {cells} | {ratio} |")
    if curves:
        reference = curves.get("cpu fp32")
        lines += ["", "Losses of training on the same images, first, middle and last step:", ""]
        for name, losses in curves.items():
            some = [losses[0], losses[len(losses) // 2], losses[-1]]
            line = f"- {name}: " + ", ".join(f"{loss:.4f}" for loss in some)
            if reference and losses is not reference:
                pairs = zip(losses, reference)
                line += f"; at most {max(abs(a - b) for a, b in pairs):.4f} from the processor's"
            lines.append(line)
    if kernels:
        lines += [
            "", f"A training step of ours, {kernels['seconds'] * 1e3:.2f} ms in kernels:", "",
            "| kind | kernels | ms |", "|---|---:|---:|",
        ]
        lines += [
            f"| {name} | {count} | {seconds * 1e3:.3f} |"
            for name, seconds, count in kernels["kinds"][:20]
        ]
        lines += ["", "The slowest kernels:", ""]
        lines += [f"- {name}: {seconds * 1e3:.3f} ms" for name, seconds in kernels["kernels"]]
    if bench.missing:
        lines += ["", "Not measured:", ""]
        lines += [f"- {name}: {reason}" for name, reason in bench.missing]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--resnet", default=str(HERE.parent.parent / ".build/release/resnet"))
    add("--output", type=Path, default=HERE.parent / "Results")
    add("--minutes", type=float, default=7.5)
    add("--all", action="store_true", help="every batch in both precisions, however long it takes")
    add("--dry-run", action="store_true")
    options = parser.parse_args()
    options.device = "xla-cpu" if options.dry_run else "gpu"
    options.size = 64 if options.dry_run else 224
    options.steps = 1 if options.dry_run else 30
    options.seconds = 0.1 if options.dry_run else 3
    options.resnet, options.output = str(Path(options.resnet).resolve()), options.output.resolve()
    if options.all:
        options.minutes = 60
    options.output.mkdir(parents=True, exist_ok=True)

    bench = Bench(options)
    # What matters most comes first, so that it is there where time runs out.
    if options.dry_run:
        plan = [("train", 2, "bf16"), ("infer", 1, "bf16")]
    else:
        plan = [("train", 256, "bf16"), ("infer", 256, "bf16"), ("infer", 1, "bf16")]
    for entry in plan:
        bench.row(*entry)
    curves, kernels = bench.losses(), bench.kernels()
    if not options.dry_run:
        rest = [("train", 256, "fp16"), ("train", 128, "bf16"), ("train", 64, "bf16")]
        if options.all:
            rest += [("train", 128, "fp16"), ("train", 64, "fp16"), ("infer", 256, "fp16")]
        for entry in rest:
            bench.row(*entry)
    stem = options.output / f"{date.today().isoformat()}-gpu{'-dry-run' if options.dry_run else ''}"
    text = report(bench, curves, kernels)
    stem.with_suffix(".md").write_text(text)
    stem.with_suffix(".json").write_text(json.dumps({
        "machine": machine(), "versions": bench.versions, "rows": bench.rows, "losses": curves,
        "kernels": kernels, "missing": bench.missing,
    }, indent=1) + "\n")
    print(text)
    print(f"wrote {stem.with_suffix('.md')}", file=sys.stderr)


if __name__ == "__main__":
    main()
