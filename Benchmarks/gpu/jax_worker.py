"""One JAX figure: the plain program of `jax_resnet` on a GPU or, for a dry run, the processor.

Prints one line of JSON.
"""

import argparse
import json
import time

import jax
import numpy
from jax import numpy as jnp

from . import jax_resnet

KINDS = {"fp32": jnp.float32, "bf16": jnp.bfloat16, "fp16": jnp.float16}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--task", choices=["train", "infer"], required=True)
    add("--precision", choices=list(KINDS), required=True)
    add("--batch", type=int, required=True)
    add("--size", type=int, default=224)
    add("--steps", type=int, default=30)
    options = parser.parse_args()

    kind = KINDS[options.precision]
    random = numpy.random.default_rng(1)
    shape = (options.batch, options.size, options.size, 3)
    images = random.integers(0, 256, shape, dtype=numpy.uint8)
    labels = random.integers(0, 1000, options.batch, dtype=numpy.int32)
    weights, statistics, velocities = jax_resnet.initial_state()
    if options.task == "train":
        scale = 65536.0 if options.precision == "fp16" else 1.0
        step = jax_resnet.train_step(kind=kind, scale=scale)
        state = (weights, statistics, velocities)

        def run():
            nonlocal state
            *state, loss, _ = step(*state, images, labels, 1e-4)
            return loss
    else:
        step = jax_resnet.inference_step(kind=kind)

        def run():
            return step(weights, statistics, images)

    start = time.perf_counter()
    for _ in range(3):
        numpy.asarray(run())
    ready = time.perf_counter() - start
    # As ours does: each turn starts a step and waits for the one before.
    times, last = [], None
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        pending = run()
        if last is not None:
            numpy.asarray(last)
            times.append(time.perf_counter() - start)
        last = pending
    numpy.asarray(last)
    times.sort()
    memory = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    print(json.dumps({
        "images_per_second": options.batch / times[len(times) // 2],
        "start_seconds": ready, "memory_bytes": memory, "version": f"JAX {jax.__version__}",
        "platform": jax.devices()[0].platform,
    }))


if __name__ == "__main__":
    main()
