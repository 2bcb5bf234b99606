"""The contestants: resnet and each peer, as installed and as tuned."""

import ctypes.util
import sys
from dataclasses import dataclass, field
from pathlib import Path

HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
#: Huge pages, and nothing is given back to the system: a step finds the memory of the step before.
KEPT_MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1"
    ":glibc.malloc.trim_threshold=1099511627776"
}


@dataclass(frozen=True)
class Contestant:
    """One runtime in one configuration and one precision."""

    name: str
    peer: str
    precision: str
    settings: dict = field(default_factory=dict, hash=False)
    environment: dict = field(default_factory=dict, hash=False)
    #: Several batches are in flight at once: throughput, not the time to an answer.
    queued: bool = False
    #: What resnet is asked for: `bench infer` or `bench train`.
    task: str = "infer"

    @property
    def ours(self):
        """Whether this is resnet."""
        return self.peer == "resnet"


def _pytorch(precision):
    def make(name, mode, environment=None, channels_last=False):
        # Channels last goes with weights in the compute type, the default with autocast.
        settings = {"precision": precision, "mode": mode, "channels_last": channels_last}
        settings["autocast"] = not channels_last
        return Contestant(f"PyTorch {name}", "pytorch", precision, settings, environment or {})

    yield make("eager, as installed", "eager")
    yield make("eager, channels last, huge pages", "eager", HUGE_PAGES, channels_last=True)
    yield make("compile, freezing", "compile")
    yield make("compile, freezing, huge pages", "compile", HUGE_PAGES)
    yield make(
        "compile, freezing, channels last, huge pages", "compile", HUGE_PAGES, channels_last=True
    )


def _openvino(precision):
    def make(name, settings, environment=None, queued=False):
        settings = {"precision": precision, **settings}
        return Contestant(
            f"OpenVINO {name}", "openvino", precision, settings, environment or {}, queued
        )

    latency = {"hint": "latency"}
    throughput = {"hint": "throughput", "queue": True}
    if precision == "bf16":
        # Where the processor has bfloat16, that is also OpenVINO's default.
        yield make("as installed", {"precision": "default"})
    yield make("latency", latency)
    yield make("latency, huge pages", latency, HUGE_PAGES)
    yield make("throughput", throughput, queued=True)
    yield make("throughput, huge pages", throughput, HUGE_PAGES, queued=True)


def _onnxruntime(precision):
    if precision != "fp32":
        return

    def make(name, settings, environment=None):
        settings = {"precision": precision, **settings}
        return Contestant(
            f"ONNX Runtime {name}", "onnxruntime", precision, settings, environment or {}
        )

    tuned = {"tuned": True, "spinning": True}
    yield make("as installed", {})
    yield make("tuned", tuned)
    yield make("tuned, no spinning", {**tuned, "spinning": False})
    yield make("tuned, huge pages", tuned, HUGE_PAGES)


def contestants(precision):
    """All contestants of a precision, ours first."""
    peers = [*_pytorch(precision), *_openvino(precision), *_onnxruntime(precision)]
    return [Contestant("resnet", "resnet", precision), *peers]


def _libraries(*names):
    """An environment that loads shared libraries first, or nothing where one is not installed."""
    found = []
    for name in names:
        beside = Path(sys.prefix) / "lib" / f"lib{name}.so"
        path = str(beside) if beside.exists() else ctypes.util.find_library(name)
        if not path:
            return None
        found.append(path)
    return {"LD_PRELOAD": ":".join(found)}


def _pytorch_training(precision):
    def make(name, mode, environment=None, last=False, **settings):
        settings |= {"precision": precision, "mode": mode, "channels_last": last}
        peer = "pytorch_training"
        return Contestant(f"PyTorch {name}", peer, precision, settings, environment or {})

    tuned = {"optimizer": "fused", "flush_denormal": True}
    yield make("eager, as installed", "eager")
    yield make("eager, channels last", "eager", last=True)
    yield make("eager, channels last, tuned, huge pages", "eager", HUGE_PAGES, True, **tuned)
    yield make("eager, channels last, tuned, kept memory", "eager", KEPT_MEMORY, True, **tuned)
    yield make("compile, as installed", "compile")
    yield make("compile, channels last", "compile", last=True)
    yield make("compile, tuned, kept memory", "compile", KEPT_MEMORY, **tuned)
    yield make("compile, channels last, tuned, kept memory", "compile", KEPT_MEMORY, True, **tuned)
    yield make(
        "compile, step too, tuned, kept memory",
        "compile",
        KEPT_MEMORY,
        **tuned | {"optimizer": "default", "compile_optimizer": True},
    )
    # What PyTorch's tuning guide recommends, where somebody installed it.
    jemalloc = "thp:always,dirty_decay_ms:-1,muzzy_decay_ms:-1"
    for what, libraries in (("jemalloc", ["jemalloc"]), ("Intel OpenMP", ["iomp5", "jemalloc"])):
        environment = _libraries(*libraries)
        if environment:
            environment["MALLOC_CONF"] = jemalloc
            yield make(f"eager, channels last, tuned, {what}", "eager", environment, True, **tuned)
            yield make(f"compile, tuned, {what}", "compile", environment, **tuned)


def training_contestants(precision):
    """All contestants of a precision in training, ours first."""
    return [Contestant("resnet", "resnet", precision, task="train"), *_pytorch_training(precision)]
