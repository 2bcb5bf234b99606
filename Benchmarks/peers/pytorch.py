"""PyTorch: eager, or compiled with the parameters frozen into the program."""

import os

import torch

from . import network


class Peer:
    """Holds one warm model per batch size.

    Settings: `mode` is `eager`, `compile`, `autotune` or `script`; `channels_last` and `autocast`
    are flags.
    """

    def __init__(self, settings, weights, variant, threads):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.settings = settings
        self.precision = settings["precision"]
        self.model = network.build(weights, variant)
        self.prepared = {}
        if settings.get("channels_last", False):
            self.model = self.model.to(memory_format=torch.channels_last)
        if self.precision == "bf16" and not settings.get("autocast", True):
            self.model = self.model.to(torch.bfloat16)
        if settings["mode"] in ("compile", "autotune"):
            import torch._inductor.config as inductor

            os.environ.setdefault("TORCHINDUCTOR_FREEZING", "1")
            inductor.freezing = True
            if settings["mode"] == "autotune":
                inductor.max_autotune = True
            if settings.get("cpp_wrapper", False):
                inductor.cpp_wrapper = True

    @staticmethod
    def version():
        return f"PyTorch {torch.__version__}"

    def _input(self, batch):
        x = network.sample_input(batch)
        if self.settings.get("channels_last", False):
            x = x.to(memory_format=torch.channels_last)
        if self.precision == "bf16" and not self.settings.get("autocast", True):
            x = x.to(torch.bfloat16)
        return x

    def _context(self):
        autocast = self.precision == "bf16" and self.settings.get("autocast", True)
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast)

    def prepare(self, batch):
        """Compiles for a batch size, unless that is done."""
        if batch in self.prepared:
            return
        x = self._input(batch)
        model = self.model
        mode = self.settings["mode"]
        with torch.inference_mode(), self._context():
            if mode in ("compile", "autotune"):
                torch._dynamo.reset()
                model = torch.compile(model, dynamic=False)
            elif mode == "script":
                torch.jit.enable_onednn_fusion(True)
                model = torch.jit.freeze(torch.jit.trace(model, x))
            for _ in range(3):
                model(x)
        self.prepared[batch] = (model, x)

    def logits(self, batch):
        """One row of float32 logits per image."""
        self.prepare(batch)
        model, x = self.prepared[batch]
        with torch.inference_mode(), self._context():
            return model(x).float().numpy()

    def loop(self, batch, finished):
        """Runs batches until `finished()`, which is told of each one, says to stop."""
        self.prepare(batch)
        model, x = self.prepared[batch]
        with torch.inference_mode(), self._context():
            while True:
                model(x)
                if finished(1):
                    return
