"""For `trowel check`: what files define, and which modules this Python has. Nothing of the user's runs."""
