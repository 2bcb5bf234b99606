"""ONNX Runtime's CPU provider, which computes in float32."""

import onnxruntime

from . import network


class Peer:
    """Holds one warm session per batch size.

    Settings: `tuned` sets threads, sequential execution and a fixed batch dimension; `spinning`
    lets idle threads of the pool spin.
    """

    def __init__(self, settings, weights, variant, threads):
        del variant
        if settings["precision"] != "fp32":
            raise SystemExit("ONNX Runtime's CPU provider has no bfloat16 convolution")
        self.settings = settings
        self.weights = weights
        self.threads = threads
        self.prepared = {}

    @staticmethod
    def version():
        return f"ONNX Runtime {onnxruntime.__version__}"

    def prepare(self, batch):
        """Makes the session for a batch size, unless that is done."""
        if batch in self.prepared:
            return
        options = onnxruntime.SessionOptions()
        if self.settings.get("tuned", False):
            options.intra_op_num_threads = self.threads
            options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
            options.add_free_dimension_override_by_name("batch", batch)
            spinning = "1" if self.settings.get("spinning", True) else "0"
            options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
        session = onnxruntime.InferenceSession(
            str(self.weights), options, providers=["CPUExecutionProvider"]
        )
        x = network.sample_input(batch).numpy()
        self.prepared[batch] = (session, {"images": x})
        for _ in range(3):
            session.run(None, {"images": x})

    def logits(self, batch):
        """One row of float32 logits per image."""
        self.prepare(batch)
        session, feed = self.prepared[batch]
        return session.run(None, feed)[0]

    def loop(self, batch, finished):
        """Runs batches until `finished()`, which is told of each one, says to stop."""
        self.prepare(batch)
        session, feed = self.prepared[batch]
        while True:
            session.run(None, feed)
            if finished(1):
                return
