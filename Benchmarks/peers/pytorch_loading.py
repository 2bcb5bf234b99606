"""PyTorch's DataLoader with torchvision's transforms over Pillow, measured in a process of its own.

Prints one JSON object: images a second over all of the time after a warm-up.
"""

import argparse
import json
import resource
import sys
import time
import types
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

try:
    from torchvision import transforms
except RuntimeError:
    # The ordinary wheel's compiled operators are CUDA's, which PyTorch's CPU build does not load; transforms
    # over Pillow need none of them.
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    name = "torchvision._meta_registrations"
    sys.modules[name] = types.ModuleType(name)
    from torchvision import transforms


class Photos(Dataset):
    """The files, over and over, so that a small folder does not end before its workers are busy."""

    def __init__(self, files, transform, count=1 << 16):
        self.files, self.transform, self.count = files, transform, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        index %= len(self.files)
        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), index


def pipeline(augmentation, size, pixels):
    """`pixels` is `uint8`, as resnet and NVIDIA's loader make them, or `float32`, normalised, as torchvision's
    reference does."""
    steps = [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]
    if augmentation == "trivial":
        steps.append(transforms.TrivialAugmentWide())
    steps.append(transforms.PILToTensor())
    if pixels == "float32":
        steps.append(transforms.ConvertImageDtype(torch.float32))
        steps.append(transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    if augmentation == "trivial":
        steps.append(transforms.RandomErasing(p=0.1))
    return transforms.Compose(steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--augmentation", choices=["crop", "trivial"], default="crop")
    parser.add_argument("--pixels", choices=["uint8", "float32"], default="uint8")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warmup", type=float, default=1)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()

    torch.set_num_threads(1)
    photos = Photos(options.files, pipeline(options.augmentation, options.size, options.pixels))
    loader = DataLoader(
        photos,
        batch_size=options.batch,
        shuffle=True,
        num_workers=options.workers,
        drop_last=True,
    )
    batches = iter(loader)
    next(batches)
    # Batches that were made ahead while Python started count for nobody.
    deadline = time.perf_counter() + options.warmup
    while time.perf_counter() < deadline:
        next(batches)
    start = now = time.perf_counter()
    count = 0
    while now - start < options.seconds:
        images, _ = next(batches)
        count += len(images)
        now = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    answer = {
        "images_per_second": count / (now - start),
        "shape": list(images.shape),
        "peak_megabytes": (peak + children) / 1024,
        "version": f"PyTorch {torch.__version__}",
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
