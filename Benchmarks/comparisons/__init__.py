"""The comparisons that `bench.py` offers, one module each."""
