"""One PyTorch figure: AMP, channels last, eager or compiled, on a GPU or, for a dry run, the processor.

Pixels come from the machine's memory as bytes, as they do for the others, and are normalised on the device.
Prints one line of JSON.
"""

import argparse
import contextlib
import json
import time
from pathlib import Path

import torch

from peers.network import ResNet50

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 255
KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Contestant:
    """A model on its device, and one function from a batch on the machine to what is waited for."""

    def __init__(self, options):
        self.device = torch.device(options.device)
        self.kind = KINDS.get(options.precision)
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        training = options.task == "train"
        self.model = ResNet50().to(self.device, memory_format=torch.channels_last).train(training)
        self.criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), 1e-4, 0.9, weight_decay=1e-4, fused=training)
        scaling = options.precision == "fp16" and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaling)
        self.mean, self.deviation = MEAN.to(self.device), DEVIATION.to(self.device)
        self.forward = self.losses if training else self.logits
        if options.mode == "compile":
            # CUDA graphs are PyTorch's best for small batches of inference.
            mode = None if training or self.device.type == "cpu" else "max-autotune"
            self.forward = torch.compile(self.forward, dynamic=False, mode=mode)
        self.run = self.train if training else self.infer

    def pixels(self, images):
        x = images.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float()
        x = (x - self.mean) / self.deviation
        return x.to(memory_format=torch.channels_last)

    def autocast(self):
        if self.kind is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.kind)

    def losses(self, images, labels):
        with self.autocast():
            return self.criterion(self.model(self.pixels(images)), labels)

    def logits(self, images):
        with self.autocast():
            return self.model(self.pixels(images))

    def train(self, images, labels):
        loss = self.forward(images, labels.to(self.device, non_blocking=True))
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def infer(self, images, _):
        with torch.inference_mode():
            return self.forward(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--task", choices=["train", "infer"], required=True)
    add("--mode", choices=["eager", "compile"], required=True)
    add("--precision", choices=["fp32", "bf16", "fp16"], required=True)
    add("--batch", type=int, required=True)
    add("--size", type=int, default=224)
    add("--steps", type=int, default=30)
    add("--device", default="cuda")
    options = parser.parse_args()

    contestant = Contestant(options)
    pinned = contestant.device.type == "cuda"
    images = torch.randint(0, 256, (options.batch, options.size, options.size, 3), dtype=torch.uint8)
    labels = torch.randint(0, 1000, (options.batch,))
    if pinned:
        images, labels = images.pin_memory(), labels.pin_memory()
    start = time.perf_counter()
    for _ in range(3):
        contestant.run(images, labels).float().sum().item()
    ready = time.perf_counter() - start

    # As ours does: each turn starts a step and waits for the one before.
    times, last = [], None
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        pending = contestant.run(images, labels)
        if last is not None:
            last.float().sum().item() if options.task == "infer" else last.item()
            times.append(time.perf_counter() - start)
        last = pending
    last.float().sum().item()
    times.sort()
    memory = torch.cuda.max_memory_allocated() if pinned else None
    print(json.dumps({
        "images_per_second": options.batch / times[len(times) // 2],
        "start_seconds": ready, "memory_bytes": memory,
        "version": f"PyTorch {torch.__version__}", "file": Path(__file__).name,
    }))


if __name__ == "__main__":
    main()
