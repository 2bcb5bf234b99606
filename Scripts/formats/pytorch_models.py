#!/usr/bin/env python3
"""Loads our PyTorch and TorchScript exports with torch and compares their logits with ours; reads torch's own programs.

Run by Scripts/compare-formats, which makes what this needs.
"""

import functools
import json
import re

import numpy
import safetensors.torch
import torch
from vision import (BLOCKS, NETWORKS, Program, build, compare, compare_half, configuration, draw, failures, finish,
                    normalized, softmax, torchvision)

# These import torchvision: after it.
import timm  # noqa: E402  isort: skip
import transformers  # noqa: E402  isort: skip


def run(network, inputs, batch=10):
    with torch.no_grad():
        return torch.cat([network(inputs[at:at + batch]) for at in range(0, len(inputs), batch)]).float().numpy()


def imports(folder, logits, planes):
    """Files that torch and safetensors write, of every depth and variant, under everybody's names."""
    torch.manual_seed(2)

    def check(name, path, found, *variant):
        compare(name, 1e-4, logits(path, *variant), found)

    pth, tensors = folder / "torch.pth", folder / "torch.safetensors"
    for depth, variant in NETWORKS:
        network = draw(build(depth, variant), planes)
        wanted, state = run(network, planes), network.state_dict()
        torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()},
                    "epoch": 3, "optimizer": {}}, pth)
        check(f"torch's resnet{depth} {variant}, a checkpoint", pth, wanted, "--variant", variant)
        safetensors.torch.save_file(state, tensors)
        check(f"resnet{depth} {variant}, safetensors", tensors, wanted, "--variant", variant)
    torch.save({re.sub(r"^layer(\d)", lambda match: f"layers.{int(match[1]) - 1}", name): value
                for name, value in state.items()}, pth)
    check("resnet152 v1 under NVIDIA's names since 2021", pth, wanted, "--variant", "v1")
    network = draw(timm.create_model("resnet50"), planes)
    safetensors.torch.save_file(network.state_dict(), tensors)
    check("timm's resnet50", tensors, run(network, planes))
    for depth, kind, sizes in [(18, "basic", [64, 128, 256, 512]), (50, "bottleneck", [256, 512, 1024, 2048])]:
        network = draw(transformers.ResNetForImageClassification(transformers.ResNetConfig(
            depths=BLOCKS[depth], hidden_sizes=sizes, layer_type=kind, num_labels=1000)), planes)
        network.save_pretrained(folder / "huggingface")
        check(f"Hugging Face's resnet-{depth}", folder / "huggingface/model.safetensors",
              run(lambda inputs: network(inputs).logits, planes))


def triton(program, raw, ours):
    """A Triton repository: the program takes and gives what its configuration says, and gives our logits."""
    repository = program.folder / "models"
    program.run("export", "-w", program.weights / "resnet18.safetensors", "--to", "triton", repository, "--libtorch",
                "--preprocessing")
    folder = repository / "resnet18_libtorch"
    given, result = configuration(folder)
    loaded = torch.jit.load(str(folder / "1/model.pt"))
    found = run(loaded, raw)
    good = given == ("INPUT__0", "TYPE_UINT8", list(raw.shape[1:])) and raw.dtype == torch.uint8 \
        and result == ("OUTPUT__0", "TYPE_FP32", list(found.shape[1:]))
    print(f"{'ok  ' if good else 'FAIL'} triton, libtorch: {given} to {result}")
    if not good:
        failures.append("triton, libtorch: configuration")
    compare("triton, libtorch", 1e-4, found, ours)


def padded(program, planes, raw):
    """Programs of networks with TensorFlow's paddings and a temperature."""
    torch.manual_seed(3)
    script = program.folder / "padded.pt"
    for padding, path, ours in program.padded(draw(build(50, "v1.5"), planes)):
        program.run("export", "-w", path, "--to", "torchscript", script)
        compare(f"{padding} as TorchScript", 1e-4, run(torch.jit.load(str(script)), planes), ours)
        program.run("export", "-w", path, "--to", "torchscript", script, "--preprocessing", "--softmax")
        compare(f"{padding} as TorchScript --preprocessing --softmax, temperature 1.7", 1e-5,
                run(torch.jit.load(str(script)), raw), softmax(ours, 1.7))


def main():
    program = Program(__doc__)
    resnet, logits, folder = program.run, program.logits, program.folder
    raw = program.pixels()
    planes = torch.from_numpy(normalized(raw))
    raw = torch.from_numpy(raw)
    networks = {
        "resnet50_v1_5.pth": (torchvision.models.resnet50, []),
        "resnet50_v1.safetensors": (lambda: build(50, "v1"), ["--variant", "v1"]),
        "resnet18.safetensors": (torchvision.models.resnet18, []),
    }
    for weights, (network, variant) in networks.items():
        path = program.weights / weights
        ours = logits(path, *variant)
        export = folder / "model.pth"
        said = json.loads(resnet(
            "export", "-w", path, "--to", "pytorch", export, "--verify", "--format", "json", *variant))
        state = torch.load(export, weights_only=True)
        network = network().eval()
        network.load_state_dict(state, strict=True)
        compare(f"{weights} as .pth, loaded strictly", 1e-4, run(network, planes), ours)
        print(f"     read back: {json.dumps(said['verification'])}")
        for form in [[], ["--preprocessing"], ["--softmax"]]:
            script = folder / "model.pt"
            said = json.loads(resnet(
                "export", "-w", path, "--to", "torchscript", script, "--verify", "--format", "json", *variant, *form))
            extra = {"metadata.json": ""}
            loaded = torch.jit.load(str(script), _extra_files=extra)
            text = json.loads(extra["metadata.json"])
            if not text["exporter"].startswith("swift-resnet"):
                failures.append(f"{weights}: metadata of the program")
            found = run(loaded, raw if "--preprocessing" in form else planes)
            compare(f"{weights} as TorchScript {' '.join(form)}".strip(), 1e-4, found,
                    softmax(ours) if "--softmax" in form else ours)
            names = set(loaded.state_dict()) - {"pixel_mean", "pixel_factor"}
            missing = {name for name in state if not name.endswith("num_batches_tracked")} ^ names
            if missing:
                failures.append(f"{weights}: names of the program: {sorted(missing)[:3]}")
            # torch writes what it has read.
            torch.jit.save(loaded, str(folder / "again.pt"))
            if not form:
                again = logits(folder / "again.pt", *variant)
                compare(f"{weights} as TorchScript, written again by torch, read by us", 1e-6, again, ours)
            print(f"     read back: {json.dumps(said['verification'])}")
        half = folder / "half.pt"
        resnet("export", "-w", path, "--to", "torchscript", half, "--half", *variant)
        compare_half(f"{weights} as TorchScript, half", run(torch.jit.load(str(half)), planes[:10]), ours[:10])

    imports(folder, functools.partial(logits, count=10), planes[:10])
    triton(program, raw[:10], ours[:10])
    padded(program, planes[:10], raw[:10])

    # Programs that torch makes of torchvision's networks, scripted and traced.
    torch.manual_seed(1)
    network = draw(torchvision.models.resnet18(num_classes=1000), planes[:10])
    for name, module in [("scripted", torch.jit.script(network)), ("traced", torch.jit.trace(network, planes[:1]))]:
        module.save(str(folder / "torch.pt"))
        wanted = run(network, planes)
        compare(f"torch's resnet18, {name}", 1e-4, logits(folder / "torch.pt"), wanted)

    finish()


main()
