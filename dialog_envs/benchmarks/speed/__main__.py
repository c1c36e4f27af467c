"""``python -m dialog_envs.benchmarks.speed``."""

from dialog_envs.benchmarks.speed import main

main()
