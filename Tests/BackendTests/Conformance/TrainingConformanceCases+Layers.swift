import Graph
import Tensors

// MARK: - Pooling

let poolingGradientCases: [ConformanceCase] =
    poolingWindows.flatMap { shape, window in
        [("", nil), (" with ties", Numbers.quarters)].map {
            (suffix: String, numbers: Numbers?) in
            let name =
                "\(shape), \(window.size.height)x\(window.size.width) "
                + "step \(window.stride.height)x\(window.stride.width)\(suffix)"
            return ConformanceCase("maxPool, its indices and its gradient \(name)") {
                (builder) throws(GraphError) in
                let x = try builder.input("x", shape, nil, numbers)
                let pooled = try builder.graph.maxPool(
                    x, size: window.size, stride: window.stride, padding: window.padding)
                let indices = try builder.graph.maxPoolIndices(x, window)
                let size = Spatial(height: shape[2], width: shape[3])
                let result = builder.graph.type(of: pooled)?.shape ?? []
                let gradient = try builder.input("gradient", result)
                try builder.output(pooled)
                try builder.output(
                    builder.graph.maxPoolGradient(
                        gradient: gradient, indices: indices, window, size: size))
            }
        } + [
            ConformanceCase(
                "maxPoolIndices \(shape), \(window.size.height)x\(window.size.width) "
                    + "step \(window.stride.height)x\(window.stride.width)"
            ) { (builder) throws(GraphError) in
                let x = try builder.input("x", shape, nil, .quarters)
                try builder.output(builder.graph.maxPoolIndices(x, window))
            }
        ]
    }
    + [
        // Any byte: those that name nothing in the window, or padding, take no gradient anywhere.
        ConformanceCase("maxPoolGradient of indices that are given") {
            (builder) throws(GraphError) in
            let window = Window(size: Spatial(3), stride: Spatial(2), padding: Padding(1))
            let gradient = try builder.input("gradient", [2, 17, 5, 4])
            let indices = try builder.input(
                "indices", [2, 17, 5, 4], .uint8, .bytes(below: 12))
            try builder.output(
                builder.graph.maxPoolGradient(
                    gradient: gradient, indices: indices, window,
                    size: Spatial(height: 9, width: 8)))
        }
    ]
    + ([[1, 64, 7, 7], [2, 31, 1, 1], [8, 17, 3, 5], [1, 5, 1, 6]] as [Shape]).map { shape in
        ConformanceCase("globalAveragePoolGradient \(shape)") { (builder) throws(GraphError) in
            let gradient = try builder.input("gradient", [shape[0], shape[1]])
            try builder.output(
                builder.graph.globalAveragePoolGradient(
                    gradient: gradient, size: Spatial(height: shape[2], width: shape[3])))
        }
    }

// MARK: - Dense

let denseGradientCases: [ConformanceCase] =
    ([(1, 64, 10), (3, 31, 37), (17, 5, 1), (2, 512, 100), (32, 16, 64)]).flatMap {
        (images: Int, inputs: Int, outputs: Int) in
        WeightKind.allCases.map { kind in
            ConformanceCase("denseInputGradient \(images), \(inputs) to \(outputs), \(kind)") {
                (builder) throws(GraphError) in
                let gradient = try builder.input("gradient", [images, outputs])
                let weight = try builder.weights(kind, "weight", [outputs, inputs])
                try builder.output(
                    builder.graph.denseInputGradient(gradient: gradient, weight: weight))
            }
        } + [
            ConformanceCase("denseWeightGradient \(images), \(inputs) to \(outputs)") {
                (builder) throws(GraphError) in
                let gradient = try builder.input("gradient", [images, outputs])
                let x = try builder.input("x", [images, inputs])
                try builder.output(
                    builder.graph.denseWeightGradient(gradient: gradient, x: x))
            },
            ConformanceCase("dense, its gradients and its updates \(images), \(inputs), \(outputs)")
            {
                (builder) throws(GraphError) in
                try denseStep(&builder, images, inputs, outputs)
            },
        ]
    }
    + ([[1, 64, 7, 7], [3, 5, 9, 4], [2, 33, 1, 1], [3, 17], [1, 5], [2, 3, 4]] as [Shape]).map {
        shape in
        ConformanceCase("channelSums \(shape)") { (builder) throws(GraphError) in
            try builder.output(builder.graph.channelSums(builder.input("x", shape)))
        }
    }

/// A layer of states with its three gradients and a step down each of two.
private func denseStep(
    _ builder: inout CaseBuilder, _ images: Int, _ inputs: Int, _ outputs: Int
) throws(GraphError) {
    let x = try builder.input("x", [images, inputs])
    let wideGradient = try builder.input("gradient", [images, outputs], builder.vectorType)
    let weight = try builder.state("weight", [outputs, inputs])
    let bias = try builder.state("bias", [outputs])
    let read = try builder.narrowed(weight)
    try builder.output(
        builder.graph.dense(x, weight: read, bias: bias, elementType: builder.vectorType))
    // The gradient of float32 logits goes to the operands' type first.
    let gradient = try builder.narrowed(wideGradient)
    try builder.output(builder.graph.denseInputGradient(gradient: gradient, weight: read))
    let weightGradient = try builder.graph.denseWeightGradient(gradient: gradient, x: x)
    let biasGradient = try builder.graph.channelSums(wideGradient)
    try builder.update(weight, builder.graph.add(weight, weightGradient))
    try builder.update(bias, builder.graph.add(bias, biasGradient))
}

// MARK: - Loss

/// What the losses of the cases differ in.
private struct LossForm {
    var images: Int
    var classes: Int
    var soft = false
    var weighted = false
    var smoothing = 0.0
    var narrow = false

    var description: String {
        [
            "[\(images), \(classes)]", soft ? "distributions" : "labels",
            weighted ? "weighted" : nil, smoothing > 0 ? "smoothed by \(smoothing)" : nil,
            narrow ? "logits as narrow as data" : nil,
        ].compactMap { $0 }.joined(separator: ", ")
    }
}

private let lossForms: [LossForm] =
    [(1, 10), (3, 37), (8, 1000), (5, 2), (2, 1)].flatMap { images, classes in
        [false, true].flatMap { soft in
            [false, true].flatMap { weighted in
                [0, 0.1, 1].map { smoothing in
                    LossForm(
                        images: images, classes: classes, soft: soft, weighted: weighted,
                        smoothing: smoothing)
                }
            }
        }
    } + [
        LossForm(images: 3, classes: 37, narrow: true),
        LossForm(images: 3, classes: 37, soft: true, narrow: true),
    ]

let lossCases: [ConformanceCase] =
    lossForms.map { form in
        ConformanceCase(
            "crossEntropy and its gradient \(form.description)",
            // Exponentials of logits of up to 4 enlarge the errors of their arguments as much.
            comparison: .byElement(amplification: 8)
        ) { (builder) throws(GraphError) in
            let type = form.narrow ? builder.elementType : builder.vectorType
            let logits = try builder.input(
                "logits", [form.images, form.classes], type, .uniform(-4..<4))
            let targets =
                form.soft
                ? try builder.input("targets", [form.images, form.classes], type, .distributions)
                : try builder.labels(form.images, of: form.classes)
            let weights =
                form.weighted
                ? try builder.parameter(
                    "weights", [form.classes], builder.vectorType, .uniform(0.5..<2)) : nil
            try builder.output(
                builder.graph.crossEntropy(
                    logits, targets: targets, weights: weights, smoothing: form.smoothing))
            let gradient = try builder.scalar("gradient", 0.5..<4)
            try builder.output(
                builder.graph.crossEntropyGradient(
                    logits, targets: targets, weights: weights, gradient: gradient,
                    smoothing: form.smoothing))
        }
    }
    + [("below", -1.0), ("above", 5.0)].map { (place: String, label: Double) in
        ConformanceCase("crossEntropy of a label \(place) the classes") {
            (builder) throws(GraphError) in
            let logits = try builder.input("logits", [3, 5], builder.vectorType)
            let labels = try builder.input("labels", [3], .int32, .these([0, label, 4]))
            try builder.output(builder.graph.crossEntropy(logits, targets: labels))
            try builder.output(builder.graph.correctCount(logits, labels: labels, top: 5))
        }
    }
    + [
        // Where the exponentials themselves would overflow or vanish.
        ConformanceCase("crossEntropy of logits far apart") { (builder) throws(GraphError) in
            let logits = try builder.input(
                "logits", [3, 17], builder.vectorType, .uniform(-1000..<1000))
            let labels = try builder.labels(3, of: 17)
            try builder.output(builder.graph.crossEntropy(logits, targets: labels))
        }
    ]
    + [(1, 1, 1), (17, 10, 1), (17, 10, 5), (3, 1000, 5), (8, 6, 6)].flatMap {
        (images: Int, classes: Int, top: Int) in
        [("", Numbers.uniform(-1..<1)), (" with ties", .quarters)].map {
            (suffix: String, numbers: Numbers) in
            ConformanceCase("correctCount [\(images), \(classes)] top \(top)\(suffix)") {
                (builder) throws(GraphError) in
                let logits = try builder.input(
                    "logits", [images, classes], builder.vectorType, numbers)
                let labels = try builder.labels(images, of: classes)
                try builder.output(
                    builder.graph.correctCount(logits, labels: labels, top: top))
            }
        }
    }

// MARK: - By element

private let elementwiseShapes: [Shape] = [[1, 64, 7, 7], [3, 5, 9, 4], [2, 17, 1, 1]]

let elementwiseTrainingCases: [ConformanceCase] =
    elementwiseShapes.flatMap { shape in
        [
            ConformanceCase("reluGradient \(shape)") { (builder) throws(GraphError) in
                let gradient = try builder.input("gradient", shape)
                // A result of ReLU: zeros, where no gradient passes, among positive numbers.
                let y = try builder.graph.relu(builder.input("x", shape, nil, .quarters))
                try builder.output(builder.graph.reluGradient(gradient: gradient, y: y))
            },
            ConformanceCase("multiply by element \(shape)") { (builder) throws(GraphError) in
                let x = try builder.input("x", shape)
                try builder.output(
                    builder.graph.multiply(x, by: builder.input("factor", shape)))
            },
            ConformanceCase("multiply by a number \(shape)") { (builder) throws(GraphError) in
                let x = try builder.input("x", shape)
                try builder.output(
                    builder.graph.multiply(x, by: builder.input("factor", [])))
            },
        ]
    }
    + ([[], [5], [33, 17], [16, 3, 3, 3]] as [Shape]).flatMap { shape in
        [
            ConformanceCase("reciprocal \(shape)") { (builder) throws(GraphError) in
                let x = try builder.input("x", shape, builder.vectorType, .uniform(0.5..<4))
                try builder.output(builder.graph.reciprocal(x))
            },
            ConformanceCase("select \(shape)") { (builder) throws(GraphError) in
                let first = try builder.input("first", shape, builder.vectorType)
                let second = try builder.input("second", shape, builder.vectorType)
                for condition in [0, 1, -2] as [Double] {
                    let given = try builder.input(
                        "condition", [], builder.vectorType, .these([condition]))
                    try builder.output(builder.graph.select(given, first, second))
                }
            },
            ConformanceCase("movingAverage \(shape)") { (builder) throws(GraphError) in
                let old = try builder.state("old", shape)
                let new = try builder.input("new", shape, builder.vectorType)
                let share = try builder.scalar("share", 0.01..<1)
                try builder.update(old, builder.graph.movingAverage(old, new, share: share))
            },
            ConformanceCase("add of states \(shape)") { (builder) throws(GraphError) in
                let sum = try builder.state("sum", shape)
                let new = try builder.input("new", shape, builder.vectorType)
                try builder.update(sum, builder.graph.add(sum, new))
            },
        ]
    }
    + [
        ConformanceCase("row of a matrix, of a vector and of a tensor") {
            (builder) throws(GraphError) in
            let matrix = try builder.input("x", [3, 17], builder.vectorType)
            for index in 0..<3 {
                try builder.output(builder.graph.row(matrix, index: index))
            }
            let vector = try builder.input("x", [2], builder.vectorType)
            try builder.output(builder.graph.row(vector, index: 1))
            let tensor = try builder.state("x", [2, 3, 5])
            try builder.output(builder.graph.row(tensor, index: 1))
        },
        ConformanceCase("stack of vectors") { (builder) throws(GraphError) in
            let first = try builder.input("x", [17], builder.vectorType)
            let second = try builder.state("x", [17])
            try builder.output(builder.graph.stack([first, second]))
            try builder.output(builder.graph.stack([second, first, second]))
        },
        ConformanceCase("squaredNorm of one tensor and of several") {
            (builder) throws(GraphError) in
            let first = try builder.input("x", [17, 5, 3, 3], builder.vectorType)
            let second = try builder.state("x", [33])
            let third = try builder.input("x", [7, 31])
            try builder.output(builder.graph.squaredNorm([first]))
            try builder.output(builder.graph.squaredNorm([second]))
            try builder.output(builder.graph.squaredNorm([first, second, third]))
        },
        ConformanceCase("constant") { (builder) throws(GraphError) in
            try builder.output(builder.graph.constant(0.1, builder.vectorType))
            let x = try builder.input("x", [5], builder.vectorType)
            try builder.output(
                builder.graph.multiply(x, by: builder.graph.constant(-3, builder.vectorType)))
        },
    ]
    + [("infinity", Double.infinity), ("not a number", .nan), ("nothing special", 1)].map {
        (special: String, value: Double) in
        ConformanceCase("isFinite beside \(special)") { (builder) throws(GraphError) in
            let numbers = (0..<35).map { $0 == 31 ? value : Double($0) }
            let first = try builder.input("x", [5, 7], builder.vectorType)
            let second = try builder.input("x", [5, 7], nil, .these(numbers))
            try builder.output(builder.graph.isFinite([first]))
            try builder.output(builder.graph.isFinite([second]))
            try builder.output(builder.graph.isFinite([first, second, first]))
        }
    }
