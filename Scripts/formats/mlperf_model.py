"""ResNet-50 v1.5 as MLPerf publishes it in ONNX, converted from TensorFlow's official model by tf2onnx.

Every convolution that halves the image has a Pad node in front and no padding of its own, the max pooling is padded by
TensorFlow's rule, the classifier of 1,001 classes is a product and a sum, and answers come with the probabilities.

Source: mlcommons/inference, `vision/classification_and_detection`; tensorflow/models, `official/r1/resnet/resnet_model.py`.
"""

import numpy
from onnx import TensorProto, helper, numpy_helper


def build(state):
    """The model of torchvision's parameters, as arrays by name; its input is `input_tensor:0`, `[N, 3, 224, 224]`."""
    nodes, initializers = [], []

    def constant(array):
        initializers.append(numpy_helper.from_array(array, f"const_{len(initializers)}"))
        return initializers[-1].name

    def node(kind, inputs, output=None, **attributes):
        output = output or f"{kind}__{len(nodes)}:0"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def convolution(x, name, normalization, stride):
        weight = state[f"{name}.weight"]
        size = weight.shape[2]
        edge = (size - 1) // 2
        attributes = {"kernel_shape": [size, size], "strides": [stride, stride]}
        if stride == 1:
            attributes["auto_pad"] = "SAME_UPPER"
        elif edge > 0:
            zeros = numpy.array([0, 0, edge, edge, 0, 0, edge, edge], numpy.int64)
            x = node("Pad", [x, constant(zeros)])
        y = node("Conv", [x, constant(weight)], **attributes)
        names = ["weight", "bias", "running_mean", "running_var"]
        return node("BatchNormalization", [y, *(constant(state[f"{normalization}.{key}"]) for key in names)],
                    epsilon=1e-5)

    x = node("Relu", [convolution("input_tensor:0", "conv1", "bn1", 2)])
    x = node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    for stage, count in enumerate([3, 4, 6, 3], 1):
        for block in range(count):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            shortcut = x
            if block == 0:
                shortcut = convolution(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
            for number, step in [(1, 1), (2, stride), (3, 1)]:
                x = convolution(x, f"{name}.conv{number}", f"{name}.bn{number}", step)
                if number < 3:
                    x = node("Relu", [x])
            x = node("Relu", [node("Add", [x, shortcut])])
    x = node("ReduceMean", [x], axes=[2, 3], keepdims=1)
    x = node("Squeeze", [x, constant(numpy.array([2, 3], numpy.int64))])
    x = node("MatMul", [x, constant(numpy.ascontiguousarray(state["fc.weight"].T))])
    x = node("Add", [x, constant(state["fc.bias"])])
    node("Softmax", [x], "softmax_tensor:0", axis=1)
    node("ArgMax", [x], "ArgMax:0", axis=1, keepdims=0)
    classes = len(state["fc.bias"])
    graph = helper.make_graph(
        nodes, "tf2onnx",
        [helper.make_tensor_value_info("input_tensor:0", TensorProto.FLOAT, ["N", 3, 224, 224])],
        [helper.make_tensor_value_info("softmax_tensor:0", TensorProto.FLOAT, ["N", classes]),
         helper.make_tensor_value_info("ArgMax:0", TensorProto.INT64, ["N"])], initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tf2onnx")
