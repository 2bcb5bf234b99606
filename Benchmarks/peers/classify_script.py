"""What one writes in an afternoon: photos from files to labels, with Pillow and a runtime.

Prints one JSON object: the classes, and the seconds spent after everything was loaded.
"""

import argparse
import json
import time
from pathlib import Path

import numpy
from PIL import Image

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def load(path):
    """Short side to 256, centre crop 224, normalised: `[3, 224, 224]`."""
    image = Image.open(path).convert("RGB")
    scale = 256 / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = numpy.asarray(image.crop((left, top, left + 224, top + 224)), numpy.float32) / 255
    return ((pixels - MEAN) / DEVIATION).transpose(2, 0, 1)


def openvino_model(weights, batch):
    """OpenVINO in bfloat16 for a fixed batch."""
    import openvino

    core = openvino.Core()
    model = core.read_model(weights)
    model.reshape([batch, 3, 224, 224])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    return lambda x: compiled([x])[0]


def pytorch_model(weights, batch):
    """PyTorch, eager, float32."""
    import torch

    from peers import network

    del batch
    model = network.build(weights)

    def infer(x):
        with torch.inference_mode():
            return model(torch.from_numpy(x)).numpy()

    return infer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", choices=["openvino", "pytorch"], required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("photos", nargs="+")
    options = parser.parse_args()
    make = openvino_model if options.runtime == "openvino" else pytorch_model
    infer = make(options.weights, options.batch)
    start = time.perf_counter()
    classes = {}
    for first in range(0, len(options.photos), options.batch):
        names = options.photos[first : first + options.batch]
        x = numpy.zeros([options.batch, 3, 224, 224], numpy.float32)
        for row, name in enumerate(names):
            x[row] = load(name)
        for name, row in zip(names, infer(x)):
            classes[Path(name).name] = int(row.argmax())
    print(json.dumps({"seconds": time.perf_counter() - start, "classes": classes}))


if __name__ == "__main__":
    main()
