// ResNetModel
