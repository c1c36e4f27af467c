"""The tasks: one sub-package each."""
