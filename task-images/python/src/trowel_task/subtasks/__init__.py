"""Tasks that a task makes at run time."""
