"""Hardware: the HLS project of an integer network and its C simulation."""
