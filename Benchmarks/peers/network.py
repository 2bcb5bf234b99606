"""ResNet-50 in plain PyTorch, with torchvision's parameter names, so that any peer runs one network."""

import torch
from torch import nn


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; v1.5 strides in the 3x3, v1 in the first 1x1."""

    def __init__(self, inputs, width, stride, variant):
        super().__init__()
        first, second = (1, stride) if variant == "v1.5" else (stride, 1)
        self.conv1 = nn.Conv2d(inputs, width, 1, stride=first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=second, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * width),
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet50(nn.Module):
    """He et al. 2016, table 1, 50 layers: images `[N, 3, 224, 224]` to logits `[N, 1000]`."""

    def __init__(self, variant="v1.5", classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = 64
        for index, blocks in enumerate([3, 4, 6, 3]):
            width = 64 * 2**index
            stage = []
            for block in range(blocks):
                stride = 2 if index > 0 and block == 0 else 1
                stage.append(Bottleneck(inputs, width, stride, variant))
                inputs = 4 * width
            setattr(self, f"layer{index + 1}", nn.Sequential(*stage))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def load_weights(path, mmap=False):
    """Reads a `.safetensors` or PyTorch file into a flat dictionary of tensors, or maps the latter."""
    if str(path).endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    return state.get("state_dict", state)


def build(weights, variant="v1.5"):
    """Makes the network for inference with the weights of a file."""
    state = load_weights(weights)
    model = ResNet50(variant, classes=state["fc.weight"].shape[0])
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{weights}: not ResNet-50 weights; missing {missing}, unused {unexpected}")
    return model.eval()


def write_random_weights(path):
    """Writes seeded weights whose activations keep their size, for machines without real ones."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = ResNet50()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, Bottleneck):
            nn.init.constant_(module.bn3.weight, 0.2)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)


def export_onnx(weights, path, variant="v1.5"):
    """Writes the network as ONNX with a free batch dimension named `batch`."""
    torch.onnx.export(
        build(weights, variant),
        (torch.zeros(2, 3, 224, 224),),
        str(path),
        input_names=["images"],
        output_names=["logits"],
        dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def sample_input(batch):
    """Seeded values of the size that normalised photos have, `[batch, 3, 224, 224]` float32."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(batch, 3, 224, 224, generator=generator)
