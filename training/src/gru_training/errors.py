"""The one error that a user can cause: wrong data or a wrong configuration."""


class TrainingError(Exception):
    """What is wrong with the user's file, in one sentence; printed without a traceback."""
