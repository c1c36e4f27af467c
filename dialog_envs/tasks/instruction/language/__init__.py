"""Language of the instruction task: understanding teachers, reading and phrasing students."""
