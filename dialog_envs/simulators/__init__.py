"""Who plays the user, and with what: user simulators, chat models, and the imagination of datasets."""
