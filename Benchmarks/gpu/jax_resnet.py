"""A plain JAX ResNet-50 v1.5: what one writes without a library of layers, as in Flax's ImageNet example.

Activations are [N, H, W, C]. Weights, velocities and statistics are float32; convolutions and the layer at the end
compute in the type that is asked for. Names of parameters are torchvision's.
"""

import functools
import math

import jax
from jax import lax
from jax import numpy as jnp

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOMENTUM, WEIGHT_DECAY, SMOOTHING = 0.9, 1e-4, 0.1
EPSILON, SHARE = 1e-5, 0.1


def layers(depth=50):
    """The convolutions: name, output channels, input channels, size, stride, and the batch norm after each."""
    wide = depth >= 50
    yield "conv1", 64, 3, 7, 2, "bn1"
    channels = 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        inner = 64 << stage
        outer = inner * 4 if wide else inner
        for block in range(blocks):
            name = f"layer{stage + 1}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            if wide:
                yield f"{name}.conv1", inner, channels, 1, 1, f"{name}.bn1"
                yield f"{name}.conv2", inner, inner, 3, stride, f"{name}.bn2"
                yield f"{name}.conv3", outer, inner, 1, 1, f"{name}.bn3"
            else:
                yield f"{name}.conv1", inner, channels, 3, stride, f"{name}.bn1"
                yield f"{name}.conv2", inner, inner, 3, 1, f"{name}.bn2"
            if stride > 1 or channels != outer:
                yield f"{name}.downsample.0", outer, channels, 1, stride, f"{name}.downsample.1"
            channels = outer


def parameter_shapes(depth=50, classes=1000, filters="HWIO"):
    """The shapes of weights, and of running statistics, by name."""
    weights, statistics = {}, {}
    for name, outputs, inputs, size, _, norm in layers(depth):
        extents = {"O": outputs, "I": inputs, "H": size, "W": size}
        weights[f"{name}.weight"] = tuple(extents[axis] for axis in filters)
        weights[f"{norm}.weight"] = weights[f"{norm}.bias"] = (outputs,)
        statistics[f"{norm}.running_mean"] = statistics[f"{norm}.running_var"] = (outputs,)
    weights["fc.weight"] = (2048 if depth >= 50 else 512, classes)
    weights["fc.bias"] = (classes,)
    return weights, statistics


def initial_state(depth=50, classes=1000, filters="HWIO", seed=1):
    """Weights, running statistics and velocities."""
    shapes, statistic_shapes = parameter_shapes(depth, classes, filters)
    key = jax.random.key(seed)
    weights = {}
    for index, (name, shape) in enumerate(shapes.items()):
        if len(shape) == 4:
            fan = math.prod(shape) // shape[filters.index("I")]
            draw = jax.random.normal(jax.random.fold_in(key, index), shape)
            weights[name] = draw * math.sqrt(2 / fan)
        elif name == "fc.weight":
            draw = jax.random.uniform(jax.random.fold_in(key, index), shape, minval=-1, maxval=1)
            weights[name] = draw / math.sqrt(shape[0])
        else:
            weights[name] = jnp.ones(shape) if name.endswith("weight") else jnp.zeros(shape)
    statistics = {
        name: (jnp.ones if name.endswith("var") else jnp.zeros)(shape)
        for name, shape in statistic_shapes.items()
    }
    return weights, statistics, jax.tree.map(jnp.zeros_like, weights)


class Network:
    """One pass through the network, which collects new running statistics where it trains."""

    def __init__(self, weights, statistics, kind, filters, training):
        self.weights, self.statistics, self.kind = weights, statistics, kind
        self.axes, self.training = ("NHWC", filters, "NHWC"), training
        self.new = {}

    def convolution(self, x, name, size, stride):
        filters = self.weights[f"{name}.weight"].astype(self.kind)
        edge = (size - 1) // 2
        return lax.conv_general_dilated(
            x, filters, (stride, stride), ((edge, edge), (edge, edge)), dimension_numbers=self.axes)

    def normalize(self, x, name):
        wide = x.astype(jnp.float32)
        mean_name, variance_name = f"{name}.running_mean", f"{name}.running_var"
        if self.training:
            mean = wide.mean((0, 1, 2))
            variance = jnp.maximum(0, jnp.square(wide).mean((0, 1, 2)) - jnp.square(mean))
            count = x.size // x.shape[-1]
            for key, value in (mean_name, mean), (variance_name, variance * (count / (count - 1))):
                self.new[key] = self.statistics[key] * (1 - SHARE) + value * SHARE
        else:
            mean, variance = self.statistics[mean_name], self.statistics[variance_name]
        factor = self.weights[f"{name}.weight"] * lax.rsqrt(variance + EPSILON)
        return ((wide - mean) * factor + self.weights[f"{name}.bias"]).astype(self.kind)

    def logits(self, images, depth):
        pixels = images.astype(jnp.float32) / 255
        x = ((pixels - jnp.array(MEAN)) / jnp.array(DEVIATION)).astype(self.kind)
        plan = iter(layers(depth))

        def convolved(x):
            name, _, _, size, stride, norm = next(plan)
            return self.normalize(self.convolution(x, name, size, stride), norm)

        x = jax.nn.relu(convolved(x))
        x = lax.reduce_window(
            x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)))
        # A block's convolutions are followed by the one of its shortcut, if it has one.
        names = [layer[0] for layer in layers(depth)]
        for stage, blocks in enumerate(BLOCKS[depth]):
            for block in range(blocks):
                shortcut = x
                for index in range(3 if depth >= 50 else 2):
                    last = index == (2 if depth >= 50 else 1)
                    x = convolved(x) if last else jax.nn.relu(convolved(x))
                if f"layer{stage + 1}.{block}.downsample.0" in names:
                    shortcut = convolved(shortcut)
                x = jax.nn.relu(x + shortcut)
        features = x.astype(jnp.float32).mean((1, 2)).astype(self.kind)
        product = jnp.matmul(
            features, self.weights["fc.weight"].astype(self.kind),
            preferred_element_type=jnp.float32)
        return product + self.weights["fc.bias"]


def step(weights, statistics, velocities, images, labels, rate, *, depth, kind, filters, scale, replicas):
    """One step of gradient descent with momentum: new state, loss, and how many labels came first.

    A loss scale other than 1 is for float16. Replicas keep statistics of their own share, as DDP does.
    """

    def loss_of(weights):
        network = Network(weights, statistics, kind, filters, training=True)
        logits = network.logits(images, depth)
        targets = jax.nn.one_hot(labels, logits.shape[-1]) * (1 - SMOOTHING)
        targets += SMOOTHING / logits.shape[-1]
        loss = -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(logits), axis=-1))
        correct = jnp.sum(jnp.argmax(logits, axis=-1) == labels)
        return loss * scale, (network.new, loss, correct)

    gradients, (statistics, loss, correct) = jax.grad(loss_of, has_aux=True)(weights)
    if replicas > 1:
        mean = functools.partial(lax.pmean, axis_name="replica")
        gradients, statistics, loss = jax.tree.map(mean, (gradients, statistics, loss))
        correct = lax.psum(correct, "replica")
    gradients = jax.tree.map(
        lambda gradient, weight: gradient / scale + WEIGHT_DECAY * weight, gradients, weights)
    velocities = jax.tree.map(
        lambda velocity, gradient: MOMENTUM * velocity + gradient, velocities, gradients)
    weights = jax.tree.map(
        lambda weight, velocity: weight - rate * velocity, weights, velocities)
    return weights, statistics, velocities, loss, correct


def train_step(depth=50, kind=jnp.bfloat16, filters="HWIO", scale=1.0, replicas=1):
    """The compiled step, which takes over its state's memory."""
    function = functools.partial(
        step, depth=depth, kind=kind, filters=filters, scale=scale, replicas=replicas)
    if replicas > 1:
        return jax.pmap(function, axis_name="replica", donate_argnums=(0, 1, 2))
    return jax.jit(function, donate_argnums=(0, 1, 2))


def infer(weights, statistics, images, *, depth, kind, filters):
    """Logits, with batch norms as they are: a compiler may fold them."""
    return Network(weights, statistics, kind, filters, training=False).logits(images, depth)


def inference_step(depth=50, kind=jnp.bfloat16, filters="HWIO"):
    """The compiled network."""
    return jax.jit(functools.partial(infer, depth=depth, kind=kind, filters=filters))
