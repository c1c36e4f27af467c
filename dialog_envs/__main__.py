"""``python -m dialog_envs`` is the command ``dialog-envs``."""

import sys

from dialog_envs.benchmarks.cli import main

if __name__ == "__main__":
    sys.exit(main())
