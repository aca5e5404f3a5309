"""The workshop of the estimator: published designs, and the constants that are fitted to them."""
