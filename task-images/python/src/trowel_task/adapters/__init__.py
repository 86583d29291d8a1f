"""Kinds of tasks: what user code of each finds, and how it is called. One module each."""
