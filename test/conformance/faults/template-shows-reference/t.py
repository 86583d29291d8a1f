import digdag
import pandas as pd


def make():
    digdag.env.store(
        {
            "frame": pd.DataFrame({"a": [1]}),
            "blob": b"abc",
            "deep": {"parts": [b"abc"], "text": "text"},
        }
    )


def use(df, b, parts, text):
    print(type(df).__name__, df.a.tolist(), type(b).__name__, b, parts, text)
