"""Where a step of ours spends its time on the device, kernel by kernel.

    python -m gpu.kernels PROGRAM.mlir [--steps 5] [--trace FOLDER]

JAX compiles and runs the StableHLO that `resnet compile --stablehlo` wrote, with the same plugin and flags, under its
profiler. Prints one line of JSON: seconds and counts a step by kind, and the slowest kernels.
"""

import argparse
import collections
import glob
import gzip
import json
import re
import tempfile

import jax
import numpy
from jax._src import xla_bridge
from jax._src.lib import _jax, xla_client

TYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "i32": "int32", "ui8": "uint8"}


def arguments(text):
    """Random arrays for the program's arguments; of labels and statistics any that do no harm."""
    signature = re.search(r"@main\((.*?)\) -> ", text, re.S).group(1)
    random = numpy.random.default_rng(1)
    arrays = []
    for name in re.findall(r"tensor<([^>]*)>", signature):
        *extents, kind = name.split("x")
        shape = tuple(int(extent) for extent in extents)
        kind = TYPES[kind]
        if kind in ("int32", "uint8"):
            array = random.integers(0, 200, shape)
        else:
            array = 0.01 + 0.01 * random.random(shape)
        arrays.append(jax.device_put(jax.numpy.asarray(array, kind)))
    return arrays


def events(folder):
    """The complete events of a trace that are operations of a device."""
    paths = glob.glob(f"{folder}/**/*.trace.json.gz", recursive=True)
    if not paths:
        raise SystemExit("the profiler wrote no trace")
    trace = json.load(gzip.open(paths[0]))["traceEvents"]
    return [event for event in trace if event.get("ph") == "X" and "hlo_op" in event.get("args", {})]


def kind(name):
    """A kernel's kind: its name without its number."""
    return re.sub(r"[._\d]+$", "", name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--trace")
    options = parser.parse_args()
    with open(options.program) as file:
        text = file.read()
    client = xla_bridge.get_backend()
    settings = xla_client.CompileOptions()
    executable = client.compile_and_load(
        text, _jax.DeviceList(tuple(client.local_devices()[:1])), settings)
    aliases = [int(number) for number in re.findall(r"tf.aliasing_output = (\d+)", text)]
    marked = [
        "tf.aliasing_output" in part
        for part in re.search(r"@main\((.*?)\) -> ", text, re.S).group(1).split("%arg")[1:]
    ]
    given = arguments(text)

    def step():
        nonlocal given
        outputs = executable.execute_sharded(given).disassemble_into_single_device_arrays()
        outputs = [output[0] for output in outputs]
        places = iter(aliases)
        given = [
            outputs[next(places)] if is_state else array for array, is_state in zip(given, marked)
        ]
        for output in outputs:
            output.block_until_ready()

    for _ in range(2):
        step()
    folder = options.trace or tempfile.mkdtemp()
    with jax.profiler.trace(folder):
        for _ in range(options.steps):
            step()

    kinds = collections.defaultdict(lambda: [0.0, 0])
    kernels = collections.defaultdict(float)
    for event in events(folder):
        seconds = event["dur"] / 1e6 / options.steps
        name = event["args"]["hlo_op"]
        kinds[kind(name)][0] += seconds
        kinds[kind(name)][1] += 1 / options.steps
        kernels[name] += seconds
    slowest = sorted(kernels.items(), key=lambda item: -item[1])[:20]
    print(json.dumps({
        "platform": client.platform,
        "seconds": sum(kernels.values()),
        "kinds": sorted(
            ([name, seconds, round(count)] for name, (seconds, count) in kinds.items()),
            key=lambda row: -row[1]),
        "kernels": slowest,
    }))


if __name__ == "__main__":
    main()
