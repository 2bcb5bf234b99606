"""PyTorch: the whole training step, eager or compiled, with float32 weights in either precision."""

import torch
from torch import nn

from . import network

LEARNING_RATE = 0.01
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
SMOOTHING = 0.1


class Peer:
    """Holds one model with its optimizer, which every batch size trains on.

    Settings: `mode` is `eager` or `compile`; `optimizer` is `default`, `foreach` or `fused`;
    `channels_last`, `compile_optimizer`, `flush_denormal`, `autotune` and `cpp_wrapper` are flags. In bf16 the
    step runs under autocast, so that the weights, their gradients and the update are float32.
    """

    def __init__(self, settings, weights, variant, threads):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        if settings.get("flush_denormal", False):
            torch.set_flush_denormal(True)
        self.settings = settings
        self.bfloat16 = settings["precision"] == "bf16"
        self.prepared, self.first = {}, {}
        self.model = network.build(weights, variant).train()
        if settings.get("channels_last", False):
            self.model = self.model.to(memory_format=torch.channels_last)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
        self.optimizer = self._optimizer()
        self.losses, self.update = self._programs()

    @staticmethod
    def version():
        return f"PyTorch {torch.__version__}"

    def _optimizer(self):
        kind = self.settings.get("optimizer", "default")
        choice = {} if kind == "default" else {kind: True}
        return torch.optim.SGD(
            self.model.parameters(), LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, **choice
        )

    def _programs(self):
        """The function from a batch to its loss, and the one that updates the weights."""

        def losses(x, labels):
            return self.criterion(self.model(x), labels)

        update = self.optimizer.step
        if self.settings["mode"] != "compile":
            return losses, update
        import torch._inductor.config as inductor

        if self.settings.get("autotune", False):
            inductor.max_autotune = True
        if self.settings.get("cpp_wrapper", False):
            inductor.cpp_wrapper = True
        if self.settings.get("compile_optimizer", False):
            update = torch.compile(update, dynamic=False)
        return torch.compile(losses, dynamic=False), update

    def _step(self, x, labels):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            loss = self.losses(x, labels)
        loss.backward()
        self.update()
        self.optimizer.zero_grad()
        return loss

    def prepare(self, batch):
        """Compiles for a batch size, unless that is done."""
        if batch in self.prepared:
            return
        x = network.sample_input(batch)
        if self.settings.get("channels_last", False):
            x = x.to(memory_format=torch.channels_last)
        generator = torch.Generator().manual_seed(11)
        labels = torch.randint(0, self.model.fc.out_features, (batch,), generator=generator)
        self.prepared[batch] = (x, labels)
        self.first[batch] = [self._step(x, labels).item() for _ in range(3)]

    def first_losses(self, batch):
        """The losses of the first three steps; of the given weights if no other batch came before."""
        self.prepare(batch)
        return self.first[batch]

    def loop(self, batch, finished):
        """Takes steps until `finished()`, which is told of each one, says to stop."""
        self.prepare(batch)
        x, labels = self.prepared[batch]
        while True:
            self._step(x, labels)
            if finished(1):
                return
