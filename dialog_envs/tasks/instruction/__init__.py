"""Instruction-v0: teach a concept to a student whose knowledge is hidden."""
