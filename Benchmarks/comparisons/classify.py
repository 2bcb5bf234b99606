"""From files to labels: a folder of photos, and one photo from a cold start."""

import json
import sys
import tempfile
from pathlib import Path

from harness import process, report
from harness.files import BENCHMARKS
from harness.statistics import Rounds

KIND = "classify"
TITLE = "From image files to labels"


def _script(runtime, weights, batch, photos):
    arguments = [sys.executable, "-m", "peers.classify_script", "--runtime", runtime]
    return [*arguments, "--weights", weights, "--batch", batch, *photos]


def _ours(files, photos):
    arguments = [files.resnet, "classify", "--weights", files.weights, "--precision", "bf16"]
    return [*arguments, "--format", "json", *photos]


def _our_classes(output):
    return {Path(row["path"]).name: row["top"][0]["index"] for row in json.loads(output)}


def _agreement(ours, theirs):
    same = sum(ours[name] == value for name, value in theirs.items())
    return f"{same} of {len(theirs)}"


def _folder(options, files, photos, log):
    """Whole processes over all photos; for the scripts also the part after loading."""
    rounds = Rounds()
    agreement = {}
    count = len(photos)
    for index in range(options.rounds):
        output, seconds, _ = process.timed(_ours(files, photos), log)
        rounds.add("resnet classify", count / seconds)
        classes = _our_classes(output)
        for batch in (1, 8):
            name = f"Pillow + OpenVINO bf16, batch {batch}"
            command = _script("openvino", files.onnx, batch, photos)
            output, seconds, _ = process.timed(command, log, cwd=BENCHMARKS)
            answer = json.loads(output)
            rounds.add(f"{name}, whole process", count / seconds)
            rounds.add(f"{name}, after loading", count / answer["seconds"])
            agreement[name] = _agreement(classes, answer["classes"])
        print(f"folder: round {index + 1} of {options.rounds}", file=sys.stderr)
    rows = []
    for name in rounds.values:
        figures = [f"{value(name):.1f}" for value in (rounds.median, rounds.best)]
        rows.append([name, *figures, f"{rounds.ratio('resnet classify', name):.2f}"])
    text = f"## {count} photos\n\nImages a second, decoding included.\n\n"
    text += report.table(["what", "median", "best", "resnet over it"], rows)
    same = "; ".join(f"{name}: {value}" for name, value in agreement.items())
    return text + f"\n\nSame first class as resnet: {same}.", rounds.values


def _cold(options, files, photo, log):
    """One photo: from starting the process to its end, files in the page cache."""
    commands = {
        "resnet classify": _ours(files, [photo]),
        "PyTorch eager": _script("pytorch", files.weights, 1, [photo]),
        "OpenVINO bf16": _script("openvino", files.onnx, 1, [photo]),
    }
    rounds = Rounds()
    for index in range(options.rounds):
        for name, command in commands.items():
            _, seconds, _ = process.timed(command, log, cwd=BENCHMARKS)
            # Runs a second, so that higher is better here as everywhere.
            rounds.add(name, 1 / seconds)
        print(f"one photo: round {index + 1} of {options.rounds}", file=sys.stderr)
    rows = []
    for name in commands:
        times = [f"{1e3 / value(name):.0f}" for value in (rounds.median, rounds.best)]
        rows.append([name, *times, f"{rounds.ratio('resnet classify', name):.1f}"])
    headings = ["what", "median, ms", "best, ms", "resnet faster by"]
    text = "## One photo, a new process each time\n\n" + report.table(headings, rows)
    return text, {name: [1 / value for value in values] for name, values in rounds.values.items()}


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    folder = Path(options.photos or "")
    patterns = ("*.jpg", "*.jpeg", "*.JPEG", "*.png")
    photos = sorted(str(path.resolve()) for pattern in patterns for path in folder.rglob(pattern))
    if not options.photos or not photos:
        raise SystemExit("classify needs --photos with a folder of JPEG or PNG files")
    if files.random_weights:
        raise SystemExit("classify needs --weights with trained weights")
    machine["weights"] = files.weights.name
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "log"
        folder_text, folder_data = _folder(options, files, photos, log)
        cold_text, cold_data = _cold(options, files, photos[0], log)
    return [folder_text, cold_text], {"folder": folder_data, "one_photo_seconds": cold_data}
