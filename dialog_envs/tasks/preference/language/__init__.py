"""Language of the preference task: understanding agents, reading and phrasing users."""
