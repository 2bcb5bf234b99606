"""What the comparisons with onnxruntime and torch share: torchvision, pictures, random networks, our program, verdicts."""

import argparse
import csv
import pathlib
import re
import subprocess
import sys
import types

# Networks and transforms over Pillow need no compiled operators: any of torchvision's wheels will do.
try:
    import torchvision
except RuntimeError:
    # The ordinary wheel's compiled operators are CUDA's, which PyTorch's CPU build does not load.
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    name = "torchvision._meta_registrations"
    sys.modules[name] = types.ModuleType(name)
    import torchvision

import numpy  # noqa: E402
import safetensors.torch  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32)
#: The comparisons that were out of their bound.
failures = []


def compare(name, bound, found, wanted, share=1):
    """Prints how far two tables of logits are from each other, and notes where that is too far, or where the first class is
    the same on less than a share of the pictures."""
    difference = float(numpy.abs(found.astype(numpy.float64) - wanted).max())
    same = int((found.argmax(1) == wanted.argmax(1)).sum())
    good = difference <= bound and same >= share * len(wanted)
    print(f"{'ok  ' if good else 'FAIL'} {name}: largest difference {difference:.2e} (bound {bound:.0e}), "
          f"same first class on {same} of {len(wanted)}", flush=True)
    if not good:
        failures.append(name)


def compare_half(name, found, wanted):
    """The same for what is computed in half precision: every activation is rounded to 11 bits, fifty layers long."""
    compare(name, 0.02 * float(numpy.abs(wanted).max()), found, wanted, share=0.98)


def softmax(logits, temperature=1):
    """Probabilities, in float64."""
    logits = logits.astype(numpy.float64) / temperature
    shifted = numpy.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


class V1(torchvision.models.resnet.Bottleneck):
    """torchvision's bottleneck with the stride on the first convolution."""

    def __init__(self, inplanes, planes, stride=1, downsample=None, *rest, **named):
        super().__init__(inplanes, planes, stride, downsample, *rest, **named)
        if stride != 1:
            self.conv1.stride, self.conv2.stride = (stride, stride), (1, 1)


#: Blocks a stage, by depth.
BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
#: Every network there is: depth and variant.
NETWORKS = [(depth, variant) for depth in BLOCKS for variant in (["v1.5", "v1"] if depth >= 50 else ["v1.5"])]


def build(depth, variant, classes=1000):
    """torchvision's network of a depth and a variant, with random weights."""
    block = torchvision.models.resnet.BasicBlock if depth < 50 else \
        V1 if variant == "v1" else torchvision.models.resnet.Bottleneck
    return torchvision.models.ResNet(block, BLOCKS[depth], num_classes=classes)


def configuration(folder):
    """What the configuration of a Triton model says that it takes and gives: name, type and extents of each."""
    text = (folder / "config.pbtxt").read_text()
    return [(name, kind, [int(number) for number in extents.split(",")]) for name, kind, extents in re.findall(
        r'name: "([\w_]+)"\s+data_type: (\w+)(?:\s+format: \w+)?\s+dims: \[ ([\d, ]+) \]', text)]


def finish():
    """Names the failures and ends the program."""
    for failure in failures:
        print(f"failed: {failure}")
    sys.exit(1 if failures else 0)


class Program:
    """Our program, the real weights and photos, and a folder for what is made of them."""

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--binary", required=True)
        parser.add_argument("--weights", type=pathlib.Path, required=True)
        parser.add_argument("--photos", type=pathlib.Path, required=True)
        parser.add_argument("--count", type=int, default=100)
        parser.add_argument("folder", type=pathlib.Path)
        options = parser.parse_args()
        self.binary, self.weights, self.folder = options.binary, options.weights, options.folder
        with open(options.photos / "labels.csv", newline="") as file:
            self.photos = [options.photos / row["file"] for row in csv.DictReader(file)][:options.count]

    def run(self, *words):
        """Runs a command of ours and gives what it prints."""
        result = subprocess.run([self.binary, *map(str, words)], capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"resnet {' '.join(map(str, words))}: {result.stderr}")
        return result.stdout

    def logits(self, weights, *rest, count=None):
        """Our logits of all photos, or of the first ones."""
        path = self.folder / "logits.npy"
        self.run("classify", "-w", weights, "--precision", "fp32", "--format", "jsonl", "--logits", path, *rest,
                 *self.photos[:count])
        return numpy.load(path)

    def padded(self, network):
        """Files of a network with TensorFlow's paddings, and our logits of the first photos by each."""
        state = {name: value.contiguous() for name, value in network.state_dict().items()}
        for padding in ["tensorflow", "tensorflow-pooling"]:
            path = self.folder / f"{padding}.safetensors"
            safetensors.torch.save_file(state, path, metadata={"padding": padding, "temperature": "1.7"})
            yield padding, path, self.logits(path, count=10)

    def pixels(self):
        """The photos as uint8 [N, 224, 224, 3]: short side to 256, the middle, as the program does it."""
        result = []
        for path in self.photos:
            image = Image.open(path).convert("RGB")
            image = torchvision.transforms.functional.resize(image, 256)
            result.append(numpy.asarray(torchvision.transforms.functional.center_crop(image, 224)))
        return numpy.stack(result)


def normalized(pixels):
    """Pixels as networks take them, float32 [N, 3, 224, 224]."""
    return numpy.ascontiguousarray(((pixels.astype(numpy.float32) / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2))


def draw(network, pictures):
    """Draws batch norms as after training, so that no layer is idle, and gives the pictures logits up to 20; gives the
    network."""
    network.eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1)
                module.bias.uniform_(-0.1, 0.1)
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        logits = network(pictures)
        factor = 20 / getattr(logits, "logits", logits).abs().max()
        classifier = [module for module in network.modules() if isinstance(module, torch.nn.Linear)][-1]
        classifier.weight.mul_(factor)
        classifier.bias.mul_(factor)
    return network


__all__ = ["BLOCKS", "NETWORKS", "Program", "build", "compare", "compare_half", "configuration", "draw", "failures",
           "finish", "normalized", "softmax", "torchvision"]
