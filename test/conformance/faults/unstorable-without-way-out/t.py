import datetime
import decimal
import pathlib

import digdag


class Model:
    pass


def make(kind):
    values = {
        "datetime": datetime.datetime(2024, 1, 2),
        "decimal": decimal.Decimal("1.10"),
        "set": {1, 2},
    }
    if kind == "model":
        digdag.env.store({"x": Model()})
    elif kind == "folder":
        digdag.env.store({"x": pathlib.Path(".")})
    else:
        digdag.env.store({"x": values[kind]})


def use(x):
    print(repr(x))
