"""Many fits in processes of their own: repeats with other seeds, and sweeps, which need Optuna."""
