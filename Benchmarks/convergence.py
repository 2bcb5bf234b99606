"""Trains by one recipe with resnet and with plain PyTorch, by turns, and compares accuracy and wall time.

Run by Scripts/compare-training. Both read the same folders; PyTorch reads the plan that `resnet train --dry-run` prints.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What is added to a recipe for each comparison.
TASKS = {
    "imagenette": {
        "recipe": "torchvision-v1",
        "changes": {"schedule": "cosine", "schedule_interval": "step", "warmup_epochs": "1",
                    "label_smoothing": "0.1", "weight_decay_on": "filters-and-weight"},
        "epochs": 12, "size": 128, "batch": 64, "from": None,
    },
    # The photos are 128 pixels wide, and the weights want a higher rate than the recipe's.
    "flowers": {"recipe": "finetune", "changes": {"learning_rate": "0.05"}, "epochs": 4, "size": 128,
                "batch": 32, "from": "resnet50_v1_5.pth"},
}


def split(source, target, limit):
    """Copies pictures into train and val folders: as they are split, else a fifth of each class by content."""
    if (source / "train").is_dir():
        parts = {part: sorted((source / part).glob("*/*")) for part in ["train", "val"]}
    else:
        parts = {"train": [], "val": []}
        for path in sorted(source.glob("*/*")):
            digest = hashlib.sha256(path.read_bytes()).digest()
            parts["val" if digest[0] < 51 else "train"].append(path)
    for part, paths in parts.items():
        counts = {}
        for path in paths:
            counts[path.parent.name] = counts.get(path.parent.name, 0) + 1
            if limit and counts[path.parent.name] > limit:
                continue
            copy = target / part / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copyfile(path, copy)


def command(task, data, arguments, seed, output):
    """The command line of resnet."""
    words = [arguments.resnet, "train", str(data), "--recipe", task["recipe"], "-o", str(output),
             "--epochs", str(arguments.epochs or task["epochs"]),
             "-b", str(arguments.batch or task["batch"]),
             "--img-size", str(arguments.size or task["size"]), "--seed", str(seed),
             "--precision", arguments.precision, "--threads", str(arguments.threads),
             "--workers", str(arguments.threads), "--format", "json"]
    for key, value in task["changes"].items():
        words += ["--set", f"{key}={value}"]
    if task["from"]:
        words += ["--from", str(pathlib.Path(arguments.folder) / task["from"])]
    return words


def run(words):
    """Runs a program to its end: what it printed, and the seconds it took."""
    start = time.monotonic()
    result = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: ended with {result.returncode}")
    return json.loads(result.stdout), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--resnet", default=str(ROOT / ".build/release/resnet"))
    parser.add_argument("--data", required=True, help="the folder with imagenette/ and flowers/")
    parser.add_argument("--folder", required=True, help="where runs, pictures and weights are kept")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--limit", type=int, help="at most so many pictures of a class, for a trial")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--modes", default="eager", help="PyTorch's: eager, compile, or both with a comma")
    parser.add_argument("--output", help="where the numbers go as JSON")
    arguments = parser.parse_args()

    task = TASKS[arguments.task]
    folder = pathlib.Path(arguments.folder)
    name = arguments.task + (f"-{arguments.limit}" if arguments.limit else "")
    data = folder / "data" / name
    split(pathlib.Path(arguments.data) / arguments.task, data, arguments.limit)

    rows = []
    for seed in [int(seed) for seed in arguments.seeds.split(",")]:
        output = folder / "runs" / f"{name}-{seed}"
        words = command(task, data, arguments, seed, output)
        plan, _ = run(words + ["--dry-run"])
        plan_file = folder / f"plan-{name}.json"
        plan_file.write_text(json.dumps(plan))
        result, seconds = run(words + ["--fresh"])
        last = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
        top1 = [line["top1"] for line in last if line["kind"] == "validation"]
        rows.append({"program": "resnet", "seed": seed, "best_top1": result["best_top1"],
                     "last_top1": top1[-1], "top1": top1, "seconds": seconds})
        for mode in arguments.modes.split(","):
            words = [sys.executable, str(ROOT / "Benchmarks/peers/training_run.py"), "--plan",
                     str(plan_file), "--data", str(data), "--seed", str(seed), "--threads",
                     str(arguments.threads), "--workers", str(arguments.threads), "--mode", mode]
            if task["from"]:
                words += ["--weights", str(folder / task["from"])]
            result, seconds = run(words)
            rows.append({"program": f"PyTorch {result['version']} {mode}", "seed": seed,
                         "best_top1": result["best_top1"], "last_top1": result["last_top1"],
                         "top1": result["top1"], "seconds": seconds})

    print("| program | seed | best top-1 % | last top-1 % | wall s |\n|---|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['program']} | {row['seed']} | {100 * row['best_top1']:.2f} | "
              f"{100 * row['last_top1']:.2f} | {row['seconds']:.1f} |")
    means = {}
    for row in rows:
        means.setdefault(row["program"], []).append(row)
    for program, group in means.items():
        print(f"| {program} | mean | {100 * statistics.mean(r['best_top1'] for r in group):.2f} | "
              f"{100 * statistics.mean(r['last_top1'] for r in group):.2f} | "
              f"{statistics.mean(r['seconds'] for r in group):.1f} |")
    if arguments.output:
        facts = {"task": arguments.task, "plan": plan, "rows": rows}
        # Paths as they are within the project.
        text = json.dumps(facts, indent=1).replace(f"{ROOT}/", "")
        pathlib.Path(arguments.output).write_text(text + "\n")


if __name__ == "__main__":
    main()
