#!/usr/bin/env python3
"""Compares ONNX exports with our own logits, and our reading of other exporters' models with onnxruntime.

Run by Scripts/compare-formats, which makes what this needs.
"""

import json

import numpy
import onnx
import onnxruntime
import torch
from vision import (NETWORKS, Program, build, compare, compare_half, configuration, draw, failures, finish, normalized,
                    softmax)

import mlperf_model


def run(model, inputs, batch=10):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: inputs[start:start + batch]})[0] for start in range(0, len(inputs), batch)]
    return numpy.concatenate(parts), session


def main():
    program = Program(__doc__)
    resnet, logits, folder = program.run, program.logits, program.folder
    raw = program.pixels()
    planes = normalized(raw)
    few = slice(0, min(10, len(raw)))

    # Ours out.
    for weights in ["resnet50_v1_5.pth", "resnet50_v1.safetensors", "resnet18.safetensors"]:
        variant = ["--variant", "v1"] if "v1.s" in weights else []
        path = program.weights / weights
        plain = folder / "plain.safetensors"
        resnet("import", path, plain, *variant)
        ours = logits(plain)
        forms = [[], ["--fold-batch-norm"]]
        if weights.endswith("pth"):
            forms += [["--preprocessing"], ["--preprocessing", "--softmax", "--fold-batch-norm"],
                      ["--half", "--fold-batch-norm"], ["--half"]]
        for form in forms:
            model = folder / "model.onnx"
            said = json.loads(resnet(
                "export", "-w", plain, "--to", "onnx", model, "--verify", "--format", "json", *form))
            onnx.checker.check_model(str(model), full_check=True)
            found, session = run(model, raw if "--preprocessing" in form else planes)
            name = f"{weights} {' '.join(form)}".strip()
            output = session.get_outputs()[0]
            expected = "probabilities" if "--softmax" in form else "logits"
            if (session.get_inputs()[0].name, output.name) != ("input", expected):
                failures.append(f"{name}: names {session.get_inputs()[0].name}, {output.name}")
            if "--softmax" in form:
                compare(name, 1e-4, found, softmax(ours))
            elif "--half" in form:
                compare_half(name, found, ours)
            else:
                compare(name, 1e-4, found, ours)
            print(f"     read back: {json.dumps(said['verification'])}, "
                  f"{model.stat().st_size / 1e6:.1f} MB, {session.get_modelmeta().custom_metadata_map['exporter']}")

    # A Triton repository: the model takes and gives what its configuration says, and gives our logits.
    repository = folder / "models"
    for form in [[], ["--preprocessing"]]:
        name = f"triton {' '.join(form)}".strip()
        resnet("export", "-w", program.weights / "resnet18.safetensors", "--to", "triton", repository, "--name",
               f"net{len(form)}", *form)
        served = repository / f"net{len(form)}"
        found, session = run(served / "1/model.onnx", raw[few] if form else planes[few])
        types = {"tensor(uint8)": "TYPE_UINT8", "tensor(float)": "TYPE_FP32"}
        says = [(value.name, types[value.type], list(value.shape[1:]))
                for value in session.get_inputs() + session.get_outputs()]
        labels = (served / "labels.txt").read_text().splitlines()
        good = says == configuration(served) and len(labels) == 1000
        print(f"{'ok  ' if good else 'FAIL'} {name}: {says}, {len(labels)} labels")
        if not good:
            failures.append(f"{name}: configuration")
        compare(name, 1e-4, found, ours[few])

    # TensorFlow's paddings, and a temperature.
    torch.manual_seed(3)
    model = folder / "padded.onnx"
    for padding, path, wanted in program.padded(draw(build(50, "v1.5"), torch.from_numpy(planes[few]))):
        resnet("export", "-w", path, "--to", "onnx", model)
        compare(padding, 1e-4, run(model, planes[few])[0], wanted[few])
        resnet("export", "-w", path, "--to", "onnx", model, "--preprocessing", "--softmax", "--fold-batch-norm")
        compare(f"{padding} --preprocessing --softmax --fold-batch-norm, temperature 1.7", 1e-5,
                run(model, raw[few])[0], softmax(wanted[few], 1.7))

    # Theirs in: torch's exporters, with batch norms kept and folded.
    torch.manual_seed(1)
    for depth, variant in NETWORKS:
        network = draw(build(depth, variant), torch.from_numpy(planes[few]))
        for mode in ["kept", "folded"]:
            model = folder / "torch.onnx"
            torch.onnx.export(
                network, torch.zeros(1, 3, 224, 224), str(model), input_names=["x"], output_names=["y"],
                dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, opset_version=17, dynamo=False,
                training=torch.onnx.TrainingMode.PRESERVE if mode == "kept" else torch.onnx.TrainingMode.EVAL,
                do_constant_folding=mode == "folded")
            found, _ = run(model, planes[few])
            # The graph says where strides are.
            compare(f"torch's resnet{depth} {variant}, batch norms {mode}", 1e-4, logits(model, count=few.stop), found)
        if (depth, variant) == (50, "v1.5"):
            with torch.no_grad():
                newer = torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), dynamo=True, verbose=False)
            newer.save(str(model))
            compare("torch's resnet50, newer exporter", 1e-4, logits(model, count=1), run(model, planes[:1])[0])

    # MLPerf's form takes pixels less their mean, and gives probabilities, whose logarithms tell as much as logits.
    pictures = (raw[few].astype(numpy.float32) - numpy.array([123.68, 116.78, 103.94], numpy.float32))
    pictures = numpy.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    network = draw(build(50, "v1.5", classes=1001), torch.from_numpy(pictures))
    onnx.save(mlperf_model.build({name: value.numpy() for name, value in network.state_dict().items()}), str(model))
    onnx.checker.check_model(str(model), full_check=True)
    found, _ = run(model, pictures)
    # Float32 holds probabilities of logits 40 apart.
    compare("MLPerf's form, logarithms of probabilities", 1e-4, numpy.log(softmax(logits(model, count=few.stop))),
            numpy.log(found.astype(numpy.float64)))

    finish()


main()
