"""The contestants: resnet and each peer, as installed and as tuned."""

from dataclasses import dataclass, field

HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


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
