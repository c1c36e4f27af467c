"""User simulators, by name in :data:`dialog_envs.core.user.USERS`."""
