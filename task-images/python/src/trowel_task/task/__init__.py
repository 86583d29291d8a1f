"""The process of one task, and what a task may consist of: how user code is found, called and served; tasks that it makes at run time."""
