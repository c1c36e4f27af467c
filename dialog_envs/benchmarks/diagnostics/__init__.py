"""Looking into a learned agent: are its values right, which word lost, and what do its settings change."""
