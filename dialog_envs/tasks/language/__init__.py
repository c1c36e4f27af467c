"""Tools of language for any task: words, phrases, spelling, grammars, voices, and the measure of understanding."""
