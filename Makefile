# Everything that can be done with this package. `make help` lists it.

SHELL := bash
.DEFAULT_GOAL := help

# Where `make install` puts things; DESTDIR goes before it.
PREFIX ?= /usr/local

# An installed binary finds Swift's own libraries beside it on machines without a toolchain.
SWIFT_FLAGS := -c release -Xlinker -rpath -Xlinker '$$ORIGIN/../lib/resnet'

# Suites that keep all processors busy for a minute or more, in a process of their own: tests beside them that take
# the time would wait for a thread.
LONG_TESTS := XLA|Overfitting|BackendAgreement|LossScaling|ConformanceTests|ReplicaTests|Parity|TrainCommandTests|TrainerTests

.PHONY: help setup setup-xla-cpu setup-tensorboard gpu gpu-compiler build demo test check lint format fuzz bench bench-smoke install uninstall clean

help:
	@awk -F ' *## ' '/^[a-z-]+:.* ## / { sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## install what building needs: system packages, oneDNN
	@Scripts/setup

setup-xla-cpu: ## fetch XLA for the processor, which some tests need, unless it cannot be had
	@Scripts/setup-xla-cpu

setup-tensorboard: ## make a Python environment with TensorBoard, for one test, unless it cannot be had
	@Scripts/setup-tensorboard

gpu: ## fetch NVIDIA's XLA plugin and CUDA's libraries, 2 GB, for --device gpu
	@Scripts/setup-gpu

gpu-compiler: ## fetch what `resnet compile` needs, 0.26 GB; no GPU
	@Scripts/setup-gpu --compiler

build: setup ## build .build/release/resnet
	swift build $(SWIFT_FLAGS) --product resnet

demo: build ## train on drawn pictures; or classify: PHOTO=picture.jpg WEIGHTS=resnet50.pth
	@PHOTO='$(PHOTO)' WEIGHTS='$(WEIGHTS)' Scripts/demo

test: setup setup-xla-cpu setup-tensorboard ## build everything, run the tests and the checks
	swift build $(SWIFT_FLAGS) --product resnet
	swift build $(SWIFT_FLAGS) --product swift-resnetPackageTests
	swift test $(SWIFT_FLAGS) --skip-build --skip '$(LONG_TESTS)'
	swift test $(SWIFT_FLAGS) --skip-build --filter '$(LONG_TESTS)'
	@Scripts/check

check: ## look for undeclared imports, unsafe code, dead links and the like
	@Scripts/check

lint: ## report what `swift format` would change
	@Scripts/check format

format: ## format the Swift files
	swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzz

fuzz: setup ## feed broken files to the parsers: SECONDS=10 each
	@Scripts/fuzz $(if $(SECONDS),-s $(SECONDS))

bench: build ## compare with other runtimes: COMPARISON=all ROUNDS=10 SECONDS=2 BATCHES=1,8,32 WEIGHTS= PHOTOS=
	@Scripts/bench $(COMPARISON) --rounds='$(ROUNDS)' --seconds='$(SECONDS)' \
	    --batches='$(BATCHES)' --weights='$(WEIGHTS)' --photos='$(PHOTOS)'

bench-smoke: build ## run our own benchmark for a few seconds
	@Scripts/bench-smoke

install: build ## install the binary and the libraries it loads under PREFIX=/usr/local
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' Scripts/install

uninstall: ## remove what `make install` put under PREFIX
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' Scripts/install --remove

clean: ## remove build products; downloads in .native and .venv stay
	rm -rf .build
