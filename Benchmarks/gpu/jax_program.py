"""Writes the StableHLO of the plain JAX training step for NVIDIA GPUs; needs none.

    python -m gpu.jax_program --output step.mlir [--batch 256] [--filters HWIO|OHWI] [--precision bf16|fp16]

Source of the program: JAX of the version in gpu/requirements.txt.
"""

import argparse

import jax
from jax import numpy as jnp

from . import jax_resnet


def text(batch, size, depth, kind, filters, scale):
    weights, statistics = (
        {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}
        for shapes in jax_resnet.parameter_shapes(depth, filters=filters)
    )
    step = jax_resnet.train_step(depth, kind, filters, scale)
    traced = step.trace(
        weights,
        statistics,
        weights,
        jax.ShapeDtypeStruct((batch, size, size, 3), jnp.uint8),
        jax.ShapeDtypeStruct((batch,), jnp.int32),
        jax.ShapeDtypeStruct((), jnp.float32),
    )
    return traced.lower(lowering_platforms=("cuda",)).as_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--filters", choices=["HWIO", "OHWI"], default="HWIO")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="bf16")
    options = parser.parse_args()
    kind = {"fp32": jnp.float32, "bf16": jnp.bfloat16, "fp16": jnp.float16}[options.precision]
    scale = 65536.0 if options.precision == "fp16" else 1.0
    program = text(options.batch, options.size, options.depth, kind, options.filters, scale)
    with open(options.output, "w") as file:
        file.write(program)


if __name__ == "__main__":
    main()
