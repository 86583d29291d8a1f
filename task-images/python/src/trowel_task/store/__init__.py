"""What a task stores: values in files or in the state, what was read, the record of a success."""
