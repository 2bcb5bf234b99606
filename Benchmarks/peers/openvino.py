"""OpenVINO: one request at a time, or a queue of requests on several streams."""

import openvino

from . import network


class Peer:
    """Holds one warm model per batch size.

    Settings: `hint` is `latency`, `throughput` or absent; `queue` sends requests asynchronously;
    `streams` fixes the number of streams; `precision` may be `default`.
    """

    def __init__(self, settings, weights, variant, threads):
        del variant
        self.core = openvino.Core()
        self.model = self.core.read_model(weights)
        self.settings = settings
        self.threads = threads
        self.prepared = {}

    @staticmethod
    def version():
        return f"OpenVINO {openvino.__version__.split('-')[0]}"

    def prepare(self, batch):
        """Compiles for a batch size, unless that is done."""
        if batch in self.prepared:
            return
        options = {}
        precision = {"bf16": "bf16", "fp32": "f32"}.get(self.settings["precision"])
        if precision:
            options["INFERENCE_PRECISION_HINT"] = precision
        if self.settings.get("hint"):
            options["PERFORMANCE_HINT"] = self.settings["hint"].upper()
            options["INFERENCE_NUM_THREADS"] = str(self.threads)
        if self.settings.get("streams"):
            options["NUM_STREAMS"] = str(self.settings["streams"])
        model = self.model.clone()
        model.reshape([batch, 3, 224, 224])
        compiled = self.core.compile_model(model, "CPU", options)
        x = network.sample_input(batch).numpy()
        if self.settings.get("queue", False):
            runner = openvino.AsyncInferQueue(compiled)
            for request in runner:
                request.set_input_tensor(openvino.Tensor(x.copy()))
        else:
            runner = compiled.create_infer_request()
            runner.set_input_tensor(openvino.Tensor(x))
        self.prepared[batch] = (compiled, runner, x)
        for _ in range(3):
            compiled([x])

    def logits(self, batch):
        """One row of float32 logits per image."""
        self.prepare(batch)
        compiled, _, x = self.prepared[batch]
        return compiled([x])[0]

    def loop(self, batch, finished):
        """Runs batches until `finished()`, which is told of each one, says to stop."""
        self.prepare(batch)
        _, runner, _ = self.prepared[batch]
        if not self.settings.get("queue", False):
            while True:
                runner.infer()
                if finished(1):
                    return
        in_flight = len(runner)
        stop = False
        while not stop:
            for _ in range(in_flight):
                runner.start_async()
            # The queue blocks only for a free slot, so requests stay in flight while we look.
            stop = finished(in_flight)
        runner.wait_all()
