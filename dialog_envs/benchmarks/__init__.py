"""Benchmarks: suites, the runner, the leaderboard and the command line."""
