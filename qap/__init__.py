"""qap: quantization-aware pruning, from a float teacher to a verified FPGA classifier."""
