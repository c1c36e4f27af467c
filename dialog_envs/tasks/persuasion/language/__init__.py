"""Language of the persuasion task: understanding fundraisers, reading and phrasing those whom they ask."""
