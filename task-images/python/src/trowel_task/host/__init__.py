"""The process above the tasks: takes work from the command line or AWS, forks for each task, relays its output, ends what it leaves."""
