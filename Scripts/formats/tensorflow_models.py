#!/usr/bin/env python3
"""Compares logits of networks that TensorFlow wrote and we read, and the other way round.

Run by Scripts/compare-formats, which makes what this needs.

The networks are NVIDIA's for TensorFlow 1, written down here in TensorFlow's operations with random weights, and
those of keras.applications; both read pixels from 0 to 255. Each case is a row: the largest difference of logits, the
range of the logits, and whether all first classes agree. Exits with 1 where a difference is above 1e-4.
"""

import argparse
import os
import pathlib
import subprocess
import sys

# This file is named as the package that is meant.
sys.path = [path for path in sys.path
            if pathlib.Path(path or ".").resolve() != pathlib.Path(__file__).resolve().parent]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy  # noqa: E402
import PIL.Image  # noqa: E402
import tensorflow as tf  # noqa: E402

v1 = tf.compat.v1
MEAN, DEVIATION = [123.68, 116.28, 103.53], [58.395, 57.12, 57.385]
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
TOLERANCE = 1e-4


class Network:
    """NVIDIA's ResNet for TensorFlow 1, by names and padding, with variables drawn from a seed or given.

    Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, model/resnet.py.
    """

    def __init__(self, depth, variant, classes=1001, seed=0, given=None, padding="SAME",
                 normalize=lambda x: (x - MEAN) / DEVIATION):
        self.root, self.variant, self.padding = f"resnet{depth}", variant, padding
        self.depth, self.classes, self.given = depth, classes, given
        self.normalize = normalize
        self.numbers = numpy.random.default_rng(seed)

    def variable(self, name, shape, draw):
        value = self.given.get_tensor(name) if self.given else draw(shape)
        assert tuple(value.shape) == tuple(shape), name
        return v1.get_variable(
            name, initializer=tf.constant(value, tf.float32), use_resource=True)

    def convolution(self, x, scope, size, outputs, stride):
        inputs = x.shape[3]
        scale = (2 / (size * size * inputs)) ** 0.5
        kernel = self.variable(
            f"{scope}/conv2d/kernel", (size, size, inputs, outputs),
            lambda shape: scale * self.numbers.standard_normal(shape))
        padding = self.padding
        if padding != "SAME":
            edge = (size - 1) // 2
            padding = [[0, 0], [edge, edge], [edge, edge], [0, 0]]
        return tf.nn.conv2d(x, kernel, stride, padding, name=f"{scope}/conv2d/Conv2D")

    def normalization(self, x, scope, scale):
        draws = {
            "gamma": lambda shape: scale * self.numbers.uniform(0.5, 1, shape),
            "beta": lambda shape: 0.1 * self.numbers.standard_normal(shape),
            "moving_mean": lambda shape: 0.1 * self.numbers.standard_normal(shape),
            "moving_variance": lambda shape: self.numbers.uniform(0.5, 1.5, shape),
        }
        gamma, beta, mean, variance = (
            self.variable(f"{scope}/BatchNorm/{name}", (x.shape[3],), draw)
            for name, draw in draws.items())
        return v1.nn.fused_batch_norm(
            x, gamma, beta, mean, variance, epsilon=1e-5, is_training=False)[0]

    def block(self, x, scope, width, stride, projects):
        shortcut = x
        if projects:
            shortcut = self.convolution(x, f"{scope}/shortcut/conv2d", 1, 4 * width, stride)
            shortcut = self.normalization(shortcut, f"{scope}/shortcut/conv2d", 0.7)
        first, second = (stride, 1) if self.variant == "v1" else (1, stride)
        sizes = [(1, width, first, 1), (3, width, second, 1), (1, 4 * width, 1, 0.3)]
        for number, (size, outputs, step, scale) in enumerate(sizes, 1):
            x = self.convolution(x, f"{scope}/bottleneck_{number}", size, outputs, step)
            x = self.normalization(x, f"{scope}/bottleneck_{number}", scale)
            if number < 3:
                x = tf.nn.relu(x)
        return tf.nn.relu(x + shortcut)

    def logits(self, pixels):
        x = self.normalize(pixels)
        x = self.convolution(x, f"{self.root}/conv2d", 7, 64, 2)
        x = tf.nn.relu(self.normalization(x, f"{self.root}/conv2d", 1))
        if self.padding != "SAME":
            x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 2, "VALID")
        else:
            x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for stage, count in enumerate(BLOCKS[self.depth]):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                x = self.block(x, f"{self.root}/btlnck_block_{stage}_{index}", 64 << stage, stride,
                               index == 0)
        x = tf.reduce_mean(x, [1, 2])
        kernel = self.variable(
            f"{self.root}/output/dense/kernel", (2048, self.classes),
            lambda shape: 0.02 * self.numbers.standard_normal(shape))
        bias = self.variable(
            f"{self.root}/output/dense/bias", (self.classes,),
            lambda shape: self.numbers.standard_normal(shape))
        return tf.identity(x @ kernel + bias, name="logits_ref")


class Comparison:
    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.work)
        self.failed, self.count = False, 0
        folder = self.work / "pictures"
        folder.mkdir()
        rows = (pathlib.Path(options.photos) / "labels.csv").read_text().splitlines()[1:]
        pictures = []
        for row in rows[:options.count]:
            name = row.split(",")[0]
            with PIL.Image.open(pathlib.Path(options.photos) / name) as photo:
                picture = photo.convert("RGB").resize((256, 256), PIL.Image.Resampling.BILINEAR)
            picture = picture.crop((16, 16, 240, 240))
            picture.save(folder / f"{len(pictures):04}.png")
            pictures.append(numpy.asarray(picture))
        self.folder = folder
        self.pixels = numpy.stack(pictures).astype(numpy.float32)
        print("| case | largest difference | logits from | to | first class |")
        print("|---|---:|---:|---:|---|", flush=True)

    def run(self, *arguments):
        done = subprocess.run(
            [self.options.binary, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"resnet {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def ours(self, weights, *arguments):
        path = self.work / "logits.npy"
        self.run("classify", "-w", weights, "--precision", "fp32", "--resize", 224, "--crop", 224,
                 "--logits", path, "--no-picture", "-q", *arguments, self.folder)
        return numpy.load(path)

    def theirs(self, function, width=4):
        return numpy.concatenate([
            numpy.asarray(function(self.pixels[start:start + width]))
            for start in range(0, len(self.pixels), width)])

    def wants(self, case):
        wanted = self.options.case
        return not wanted or any(part in case for part in wanted)

    def report(self, case, ours, theirs):
        difference = numpy.abs(ours - theirs).max()
        agree = (ours.argmax(1) == theirs.argmax(1)).sum()
        isGood = difference <= TOLERANCE and agree == len(ours)
        self.failed = self.failed or not isGood
        self.count += 1
        print(f"| {case} | {difference:.1e} | {theirs.min():.1f} | {theirs.max():.1f} | "
              f"{agree} of {len(ours)}{'' if isGood else ' **differs**'} |", flush=True)


def nvidia(comparison, depth, variant):
    """Checkpoints by TensorFlow 1's saver, with momentum slots, and a SavedModel, as its builder writes them."""
    case = f"NVIDIA's ResNet-{depth} {variant}"
    if not comparison.wants(case):
        return
    folder = comparison.work / f"nvidia-{depth}-{variant}"
    with tf.Graph().as_default(), v1.Session() as session:
        pixels = v1.placeholder(tf.float32, (None, 224, 224, 3), "input_tensor")
        logits = Network(depth, variant, seed=depth).logits(pixels)
        slots = [v1.get_variable(v.op.name + "/Momentum", v.shape, use_resource=True)
                 for v in v1.trainable_variables()[:20]]
        step = v1.train.get_or_create_global_step()
        session.run(v1.global_variables_initializer())
        theirs = comparison.theirs(lambda x: session.run(logits, {pixels: x}))
        prefix = v1.train.Saver().save(session, str(folder / "model.ckpt"), global_step=7)
        builder = v1.saved_model.Builder(str(folder / "saved"))
        probabilities = tf.nn.softmax(logits)
        signature = v1.saved_model.predict_signature_def(
            {"input": pixels}, {"probabilities": probabilities})
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": signature}, strip_default_attrs=True)
        builder.save()
        del slots, step
    ours = comparison.ours(prefix, "--variant", variant)
    comparison.report(f"{case}, checkpoint", ours, theirs)
    # The graph in a SavedModel says where strides are.
    comparison.report(f"{case}, SavedModel", comparison.ours(folder / "saved"), theirs)
    # TensorFlow's padding and normalisation, on the way out again.
    comparison.run("export", "-w", prefix, "--variant", variant, "--to", "saved-model", folder / "again")
    again = tf.saved_model.load(str(folder / "again")).prune("input_tensor:0", "logits_ref:0")
    comparison.report(f"{case}, our SavedModel of it in TensorFlow",
                      comparison.theirs(lambda x: again(tf.constant(x))), theirs)


def keras(comparison, depth):
    case = f"Keras's ResNet{depth}"
    if not comparison.wants(case):
        return
    applications = tf.keras.applications
    model = getattr(applications, f"ResNet{depth}")(weights=None, classifier_activation=None)
    numbers = numpy.random.default_rng(depth)
    for variable in model.variables:
        name, shape = variable.path, variable.shape
        if name.endswith("gamma"):
            scale = 0.3 if "_3_bn" in name else 0.7 if "_0_bn" in name else 1
            variable.assign(scale * numbers.uniform(0.5, 1, shape))
        elif name.endswith("moving_variance"):
            variable.assign(numbers.uniform(0.5, 1.5, shape))
        elif name.endswith(("beta", "bias", "moving_mean")):
            variable.assign(0.1 * numbers.standard_normal(shape))
        elif name.endswith("predictions/kernel"):
            variable.assign(0.02 * numbers.standard_normal(shape))
        elif name == "conv1_conv/kernel":
            # Pixels are not divided by their deviation.
            variable.assign(variable.numpy() / 60)
        elif "_conv/kernel" in name:
            fan = shape[0] * shape[1] * shape[2]
            variable.assign((2 / fan) ** 0.5 * numbers.standard_normal(shape))
    prepare = applications.resnet.preprocess_input
    theirs = comparison.theirs(lambda x: model(prepare(numpy.array(x)), training=False))
    folder = comparison.work / f"keras-{depth}"
    prefix = tf.train.Checkpoint(model=model).save(str(folder / "model"))
    tf.saved_model.save(model, str(folder / "saved"))
    comparison.report(f"{case}, checkpoint", comparison.ours(prefix), theirs)
    comparison.report(f"{case}, SavedModel", comparison.ours(folder / "saved"), theirs)


def exports(comparison, weights, title, variant):
    """What we write of real weights, read and run by TensorFlow."""
    if not comparison.wants(title):
        return
    ours = comparison.ours(weights, "--variant", variant)
    folder = comparison.work / f"export-{weights.stem}"
    folder.mkdir()
    comparison.run("export", "-w", weights, "--variant", variant, "--to", "tf-checkpoint",
                   folder / "model.ckpt")
    comparison.run("export", "-w", weights, "--variant", variant, "--to", "saved-model",
                   folder / "saved")
    if "ResNet-18" not in title:
        checkpoint(comparison, title, variant, folder / "model.ckpt", ours)

    model = tf.saved_model.load(str(folder / "saved"))
    assert set(model.signatures) == {"predict", "serving_default"}, set(model.signatures)
    exponentials = numpy.exp(ours - ours.max(1, keepdims=True))
    wanted = exponentials / exponentials.sum(1, keepdims=True)
    for start in range(0, len(ours), 10):
        rows = slice(start, start + 10)
        answer = model.signatures["predict"](input=tf.constant(comparison.pixels[rows]))
        assert set(answer) == {"classes", "probabilities"}, set(answer)
        assert answer["classes"].dtype == tf.int32
        assert numpy.array_equal(answer["classes"], ours[rows].argmax(1))
        difference = numpy.abs(answer["probabilities"] - wanted[rows]).max()
        assert difference < 1e-4, difference
    logits = model.prune("input_tensor:0", "logits_ref:0")
    theirs = comparison.theirs(lambda x: logits(tf.constant(x)))
    comparison.report(f"{title}, our SavedModel in TensorFlow", ours, theirs)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, ["serve"], str(folder / "saved"))
        theirs = comparison.theirs(
            lambda x: session.run("logits_ref:0", {"input_tensor:0": x}))
    comparison.report(f"{title}, our SavedModel in TensorFlow 1", ours, theirs)
    comparison.report(f"{title}, our checkpoint read again",
                      comparison.ours(folder / "model.ckpt"), ours)
    comparison.report(f"{title}, our SavedModel read again",
                      comparison.ours(folder / "saved"), ours)


def checkpoint(comparison, title, variant, prefix, ours):
    """A checkpoint that we wrote, in TensorFlow's operations."""
    reader = tf.train.load_checkpoint(str(prefix))
    with tf.Graph().as_default(), v1.Session() as session:
        pixels = v1.placeholder(tf.float32, (None, 224, 224, 3))
        network = Network(
            50, variant, classes=1000, given=reader, padding="symmetric",
            normalize=lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
        logits = network.logits(pixels)
        session.run(v1.global_variables_initializer())
        theirs = comparison.theirs(lambda x: session.run(logits, {pixels: x}))
    comparison.report(f"{title}, our checkpoint in TensorFlow", ours, theirs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--photos", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("work")
    parser.add_argument("case", nargs="*")
    options = parser.parse_args()
    comparison = Comparison(options)
    weights = pathlib.Path(options.weights)
    exports(comparison, weights / "resnet50_v1_5.pth", "Real weights v1.5", "v1.5")
    exports(comparison, weights / "resnet50_v1.safetensors", "Real weights v1", "v1")
    exports(comparison, weights / "resnet18.safetensors", "Real weights ResNet-18", "v1.5")
    for depth in BLOCKS:
        for variant in ["v1.5", "v1"]:
            nvidia(comparison, depth, variant)
    for depth in BLOCKS:
        keras(comparison, depth)
    if comparison.count == 0:
        sys.exit(f"there is no case with {' or '.join(options.case)} in its name")
    sys.exit(1 if comparison.failed else 0)


main()
