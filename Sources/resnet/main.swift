// resnet
