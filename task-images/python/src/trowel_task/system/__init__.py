"""The machine below: files and their hashes, processes of Linux."""
