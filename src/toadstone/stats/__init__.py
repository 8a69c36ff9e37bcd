"""Numeric kernels: numpy in, numpy out, no noun of the product."""
