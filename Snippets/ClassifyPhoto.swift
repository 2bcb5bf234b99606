// Names what a photo shows: `swift run -c release ClassifyPhoto resnet50.pth photo.jpg`.

import Inference

if CommandLine.arguments.count == 3 {
    let classifier = try await Classifier(weights: CommandLine.arguments[1])
    let answer = try await classifier.classify(file: CommandLine.arguments[2])
    for prediction in answer.top { print(prediction.label, prediction.probability) }
} else {
    print("usage: ClassifyPhoto WEIGHTS PHOTO")
}
