"""What crosses a process: assignments, failures and their names, the form of values, merging, masking."""
