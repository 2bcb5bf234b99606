"""The files a comparison works on: our binary, the weights, and their ONNX form."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
PACKAGE = BENCHMARKS.parent
CACHE = PACKAGE / ".venv" / "bench-cache"


@dataclass(frozen=True)
class Files:
    """Paths that the contestants are given."""

    resnet: Path
    weights: Path
    onnx: Path
    variant: str = "v1.5"
    random_weights: bool = False


def _in_new_process(function, *arguments):
    """Calls a function of `peers.network` elsewhere, so that PyTorch never loads in this process."""
    code = f"import sys; from peers import network; network.{function}(*sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=BENCHMARKS,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if "BENCH_VERBOSE" not in os.environ else None,
    )


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _binary(resnet):
    binary = Path(resnet or PACKAGE / ".build" / "release" / "resnet").resolve()
    if not binary.is_file():
        raise SystemExit(f"{binary} is not built; run: make build")
    return binary


def prepare(weights, resnet, needs_network=True):
    """Finds or makes what the contestants need; weights are random where none are given."""
    if not needs_network:
        return Files(_binary(resnet), None, None)
    CACHE.mkdir(parents=True, exist_ok=True)
    random_weights = not weights
    if random_weights:
        path = CACHE / "random.safetensors"
        if not path.exists():
            _in_new_process("write_random_weights", path)
    else:
        path = Path(weights).resolve()
        if not path.is_file():
            raise SystemExit(f"--weights {weights}: no such file")
    onnx = CACHE / f"{_digest(path)}.onnx"
    if not onnx.exists():
        print(f"making {onnx.name} from {path.name}", file=sys.stderr)
        part = onnx.with_suffix(".part.onnx")
        _in_new_process("export_onnx", path, part)
        part.rename(onnx)
    return Files(_binary(resnet), path, onnx, random_weights=random_weights)
