import os
import pathlib

import digdag


def login():
    digdag.env.store(
        {
            "header": "Bearer " + os.environ["TOKEN"],
            "large": [os.environ["TOKEN"]] * 2000,
            "bytes": b"x",
            "file": pathlib.Path("t.py"),
        }
    )
