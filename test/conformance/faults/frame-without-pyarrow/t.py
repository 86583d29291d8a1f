import sys

import digdag
import pandas as pd


def make():
    sys.modules["pyarrow"] = None
    digdag.env.store({"frame": pd.DataFrame({"x": [0.1]})})
