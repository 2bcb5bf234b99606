"""From photo files to augmented batches: what a training step is fed with."""

import json
import sys
import tempfile
from pathlib import Path

from harness import process, report
from harness.files import BENCHMARKS
from harness.statistics import Rounds

KIND = "loader"
TITLE = "From image files to augmented batches"
BATCHES = [64]
NEEDS_NETWORK = False
#: resnet's turns are as long as PyTorch's, in processes of their own.
NAMES = {
    "crop": "random resized crop, mirrored or not",
    "trivial": "the same, TrivialAugment, random erasing of a tenth",
}


def _list(photos, folder):
    """A list that `resnet` opens; classes play no role here."""
    path = folder / "photos.csv"
    lines = [f"{photo},{index % 2}" for index, photo in enumerate(photos)]
    path.write_text("\n".join(["file,label", *lines]) + "\n")
    return path


def _ours(files, path, options, batch, augmentation, decoding):
    command = [files.resnet, "bench", "loader", path, "--allow-outside", "--batch", batch]
    command += ["--workers", options.threads, "--seconds", options.seconds, "--format", "json"]
    return [*command, "--augmentation", augmentation, *(["--exact"] if decoding == "exact" else [])]


def _theirs(photos, options, batch, augmentation, pixels):
    command = [sys.executable, "-m", "peers.pytorch_loading", "--batch", batch]
    command += ["--workers", options.threads, "--seconds", options.seconds]
    return [*command, "--augmentation", augmentation, "--pixels", pixels, *photos]


def _turns(options, files, photos, batch, augmentation, folder):
    log = folder / "log"
    path = _list(photos, folder)
    ours = {
        f"resnet, {decoding} decoding": _ours(files, path, options, batch, augmentation, decoding)
        for decoding in ("fast", "exact")
    }
    theirs = {
        f"PyTorch DataLoader, {pixels}": _theirs(photos, options, batch, augmentation, pixels)
        for pixels in ("uint8", "float32")
    }
    rounds = Rounds()
    for index in range(options.rounds):
        for name, command in {**ours, **theirs}.items():
            output, _, _ = process.timed(command, log, cwd=BENCHMARKS)
            rounds.add(name, json.loads(output)["images_per_second"])
        print(f"{augmentation}: round {index + 1} of {options.rounds}", file=sys.stderr)
    rows = []
    for name in rounds.values:
        figures = [f"{value(name):.0f}" for value in (rounds.median, rounds.worst, rounds.best)]
        ratios = [f"{rounds.ratio(our, name):.2f}" if name in theirs else "" for our in ours]
        rows.append([name, *figures, *ratios])
    headings = ["what", "median", "worst", "best", "fast over it", "exact over it"]
    text = f"## {NAMES[augmentation][0].upper()}{NAMES[augmentation][1:]}\n\n"
    text += f"Images a second, batch {batch}, {options.threads} workers each.\n\n"
    return text + report.table(headings, rows), rounds.values


def run(options, files, machine):
    """Runs the comparison and returns the report's sections and data."""
    folder = Path(options.photos or "")
    patterns = ("*.jpg", "*.jpeg", "*.JPEG", "*.png")
    photos = sorted(str(path.resolve()) for pattern in patterns for path in folder.rglob(pattern))
    if not options.photos or not photos:
        raise SystemExit("loader needs --photos with a folder of JPEG or PNG files")
    machine["photos"] = str(len(photos))
    sections, data = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        for batch in options.batches:
            for augmentation in NAMES:
                text, values = _turns(
                    options, files, photos, batch, augmentation, Path(temporary)
                )
                sections.append(text)
                data[f"{augmentation}, batch {batch}"] = values
    return sections, {"images_per_second": data}
