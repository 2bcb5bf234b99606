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
    tuned: bool = True

    #: Several batches in flight at once: throughput, not the time to an answer.
    queued: bool = False


def _pytorch(precision):
    base = {"precision": precision}
    installed = {**base, "mode": "eager", "autocast": True}
    channels = {**base, "mode": "eager", "channels_last": True, "autocast": False}
    compiled = {**base, "mode": "compile", "autocast": True}
    compiled_last = {**base, "mode": "compile", "channels_last": True, "autocast": False}
    autotuned = {**base, "mode": "autotune", "channels_last": True, "autocast": False}
    yield Contestant("PyTorch eager", "pytorch", precision, installed, tuned=False)
    yield Contestant("PyTorch eager, channels last", "pytorch", precision, channels)
    yield Contestant(
        "PyTorch eager, channels last, huge pages", "pytorch", precision, channels, HUGE_PAGES
    )
    yield Contestant("PyTorch compile + freezing", "pytorch", precision, compiled)
    yield Contestant(
        "PyTorch compile + freezing, huge pages", "pytorch", precision, compiled, HUGE_PAGES
    )
    yield Contestant(
        "PyTorch compile + freezing, channels last, huge pages",
        "pytorch",
        precision,
        compiled_last,
        HUGE_PAGES,
    )
    yield Contestant(
        "PyTorch compile + max-autotune, huge pages", "pytorch", precision, autotuned, HUGE_PAGES
    )


def _openvino(precision):
    base = {"precision": precision}
    latency = {**base, "hint": "latency"}
    throughput = {**base, "hint": "throughput", "queue": True}
    one_stream = {**base, "hint": "throughput", "streams": 1}
    if precision == "bf16":
        # Where the processor has bfloat16, this is also OpenVINO's default.
        yield Contestant(
            "OpenVINO as installed", "openvino", precision, {"precision": "default"}, tuned=False
        )
    yield Contestant("OpenVINO latency", "openvino", precision, latency)
    yield Contestant("OpenVINO latency, huge pages", "openvino", precision, latency, HUGE_PAGES)
    yield Contestant(
        "OpenVINO one stream, huge pages", "openvino", precision, one_stream, HUGE_PAGES
    )
    yield Contestant("OpenVINO throughput", "openvino", precision, throughput, queued=True)
    yield Contestant(
        "OpenVINO throughput, huge pages",
        "openvino",
        precision,
        throughput,
        HUGE_PAGES,
        queued=True,
    )


def _onnxruntime():
    tuned = {"precision": "fp32", "tuned": True, "spinning": True}
    waiting = {**tuned, "spinning": False}
    yield Contestant("ONNX Runtime", "onnxruntime", "fp32", {"precision": "fp32"}, tuned=False)
    yield Contestant("ONNX Runtime tuned", "onnxruntime", "fp32", tuned)
    yield Contestant("ONNX Runtime tuned, no spinning", "onnxruntime", "fp32", waiting)
    yield Contestant("ONNX Runtime tuned, huge pages", "onnxruntime", "fp32", tuned, HUGE_PAGES)


def contestants(precisions, with_ours=True):
    """All contestants of the given precisions, ours first."""
    result = []
    for precision in precisions:
        if with_ours:
            result.append(Contestant("resnet", "resnet", precision))
        result += list(_pytorch(precision)) + list(_openvino(precision))
        if precision == "fp32":
            result += list(_onnxruntime())
    return result
