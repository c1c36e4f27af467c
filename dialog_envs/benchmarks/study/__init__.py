"""Studies: one question, several arms (settings of imagining and training), the same episodes for each, one table."""
