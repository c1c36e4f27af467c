"""The contracts that every task, user and agent share."""
