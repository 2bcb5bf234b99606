"""A whole training in plain PyTorch, by a plan of `resnet train --dry-run --format json`.

Pictures are read with Pillow by DataLoader's workers, the network and the loop are what anybody would write; in bf16
the step runs under autocast. Prints one JSON object: accuracies after each epoch and the seconds of everything.
"""

import argparse
import json
import math
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy
import torch
from PIL import Image
from torch import nn

from peers import network

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 255


class Pictures(torch.utils.data.Dataset):
    """The pictures of class folders, as uint8 `[H, W, 3]`."""

    def __init__(self, folder, recipe, is_training):
        self.classes = sorted(path.name for path in pathlib.Path(folder).iterdir() if path.is_dir())
        self.samples = [
            (str(path), label)
            for label, name in enumerate(self.classes)
            for path in sorted((pathlib.Path(folder) / name).iterdir())
        ]
        self.recipe, self.is_training = recipe, is_training

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        path, label = self.samples[index]
        picture = Image.open(path).convert("RGB")
        picture = self.crop(picture) if self.is_training else self.middle(picture)
        return torch.from_numpy(numpy.array(picture)), label

    def crop(self, picture):
        """torchvision's RandomResizedCrop and RandomHorizontalFlip."""
        width, height = picture.size
        side = self.recipe["image_size"]
        (least, most), (flat, tall) = self.recipe["crop_area"], self.recipe["crop_aspect"]
        box = None
        for _ in range(10):
            area = width * height * random.uniform(least, most)
            aspect = math.exp(random.uniform(math.log(flat), math.log(tall)))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                x, y = random.randint(0, width - w), random.randint(0, height - h)
                box = (x, y, x + w, y + h)
                break
        if box is None:
            w, h = width, height
            if width / height < flat:
                h = round(width / flat)
            elif width / height > tall:
                w = round(height * tall)
            x, y = (width - w) // 2, (height - h) // 2
            box = (x, y, x + w, y + h)
        picture = picture.crop(box).resize((side, side), Image.BILINEAR)
        if random.random() < self.recipe["flip"]:
            picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
        return picture

    def middle(self, picture):
        """torchvision's Resize and CenterCrop."""
        resize, side = self.recipe["eval_resize"], self.recipe["eval_crop"]
        width, height = picture.size
        if width <= height:
            size = (resize, int(resize * height / width))
        else:
            size = (int(resize * width / height), resize)
        picture = picture.resize(size, Image.BILINEAR)
        x, y = round((size[0] - side) / 2), round((size[1] - side) / 2)
        return picture.crop((x, y, x + side, y + side))


def seed_worker(_):
    """Random numbers of Python's own follow PyTorch's, which differ between workers and epochs."""
    random.seed(torch.initial_seed() % 2**32)


def build(recipe, classes, weights):
    """The network: new, or with trained weights and, where the classes differ, a new head."""
    model = network.ResNet50(recipe["variant"], classes=classes)
    if weights:
        state = network.load_weights(weights)
        if state["fc.weight"].shape[0] != classes:
            del state["fc.weight"], state["fc.bias"]
        model.load_state_dict(state, strict=False)
        return model
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=recipe["fan"], nonlinearity="relu")
    return model


def rate(recipe, peak, step, steps_per_epoch):
    """The learning rate of a step: a linear warm-up from 0, then a cosine."""
    warmup = math.floor(recipe["warmup_epochs"] * steps_per_epoch)
    total = math.floor(recipe["epochs"] * steps_per_epoch)
    if step < warmup:
        return peak * step / warmup
    progress = min((step - warmup) / (total - warmup), 1)
    return recipe["end_learning_rate"] + (peak - recipe["end_learning_rate"]) * 0.5 * (
        1 + math.cos(math.pi * progress)
    )


def parse(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mode", choices=["eager", "compile"], default="eager")
    arguments = parser.parse_args()

    start = time.monotonic()
    plan = json.loads(pathlib.Path(arguments.plan).read_text())
    recipe = {key: parse(value) for key, value in plan["recipe"].items()}
    wanted = {"schedule": "cosine", "schedule_interval": "step", "optimizer": "sgd", "ema": 0, "mixup": 0,
              "cutmix": 0, "warmup_start": "zero", "depth": 50, "freeze": "none", "accumulation": 1}
    for key, value in wanted.items():
        if recipe[key] != value:
            raise SystemExit(f"{key}: this script trains with {value}, the plan says {recipe[key]}")
    torch.manual_seed(arguments.seed)
    random.seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    data = pathlib.Path(arguments.data)
    training, validation = (
        Pictures(data / "train", recipe, True), Pictures(data / "val", recipe, False))
    loaders = [
        torch.utils.data.DataLoader(
            pictures, batch_size=plan["batch"], shuffle=is_training, drop_last=is_training,
            num_workers=arguments.workers, worker_init_fn=seed_worker, persistent_workers=True)
        for pictures, is_training in [(training, True), (validation, False)]
    ]
    model = build(recipe, len(training.classes), arguments.weights)
    model = model.to(memory_format=torch.channels_last)
    decayed = [p for n, p in model.named_parameters()
               if recipe["weight_decay_on"] == "all" or (p.ndim > 1)]
    chosen = {id(p) for p in decayed}
    others = [p for p in model.parameters() if id(p) not in chosen]
    if recipe["weight_decay_on"] not in ("all", "filters-and-weight"):
        raise SystemExit("weight_decay_on: this script knows all and filters-and-weight")
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": recipe["weight_decay"]},
         {"params": others, "weight_decay": 0.0}],
        lr=0.1, momentum=recipe["momentum"], nesterov=recipe["nesterov"])
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe["label_smoothing"])
    is_narrow = recipe["precision"] == "bf16"
    forward = torch.compile(model) if arguments.mode == "compile" else model

    def prepared(images):
        x = images.permute(0, 3, 1, 2).float()
        return ((x - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)

    step, top1, epochs = 0, [], math.ceil(recipe["epochs"])
    for epoch in range(epochs):
        model.train()
        for images, labels in loaders[0]:
            lr = rate(recipe, plan["peak_learning_rate"], step, len(loaders[0]))
            for group in optimizer.param_groups:
                group["lr"] = lr
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_narrow):
                loss = criterion(forward(prepared(images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        model.eval()
        correct = 0
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_narrow):
            for images, labels in loaders[1]:
                correct += (model(prepared(images)).argmax(1) == labels).sum().item()
        top1.append(correct / len(validation))
        print(f"epoch {epoch + 1}  loss {loss.item():.4f}  val top-1 {100 * top1[-1]:.2f} %  "
              f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    print(json.dumps({"top1": top1, "best_top1": max(top1), "last_top1": top1[-1],
                      "seconds": time.monotonic() - start, "version": torch.__version__}))


if __name__ == "__main__":
    main()
