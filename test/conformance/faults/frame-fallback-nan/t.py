import digdag
import numpy as np
import pandas as pd


def make():
    digdag.env.store(
        {
            "mixed": pd.DataFrame(
                {2023: [1.5, 2.5], 2025: pd.Series([1, "n/a"], dtype=object)}
            ),
            "numbered": pd.DataFrame([[1.5, 2.5], [3.5, 4.5]]),
            "levels": pd.DataFrame(
                [[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])
            ),
            "random": random(),
        }
    )


def random():
    return pd.DataFrame(
        {"x": np.random.default_rng(0).random(10_000), "y": np.float32(0.1)}
    )


def use(mixed, numbered, levels, random):
    pd.testing.assert_frame_equal(random, globals()["random"](), check_exact=True)
    print(mixed.to_dict("list"))
    print(numbered.to_dict("list"), numbered.columns.dtype)
    print(levels.to_dict("list"))
