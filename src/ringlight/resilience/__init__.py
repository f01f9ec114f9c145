"""Deciding what to do after a failure, as pure functions: clock and dice are arguments."""
