"""The doctor: checks that find the cause of a failure, and say one thing to fix first."""
