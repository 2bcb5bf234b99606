"""Training and inference on NVIDIA GPUs, and JAX's program for them."""
