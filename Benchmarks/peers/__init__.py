"""The runtimes that resnet is compared with, each behind one small interface."""
