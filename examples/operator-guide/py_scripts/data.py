"""Puts data where the queries find it: a table of an SQLite database here, a warehouse's elsewhere."""

import os
import pathlib
import random
import sqlite3


def upload(td, rows=100, database_folder="data"):
    """`td` is the exported mapping, of which the database's name is a part."""
    os.makedirs(database_folder, exist_ok=True)
    with sqlite3.connect(path(td, database_folder)) as database:
        database.execute("DROP TABLE IF EXISTS orders")
        database.execute("CREATE TABLE orders (customer TEXT, amount INTEGER)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", orders(int(rows)))
    print(f"{rows} orders loaded into {td['database']}")
    try:
        import digdag
    except ImportError:
        return
    # Deployed, each task has a disk of its own: a file reaches the tasks that follow as a value.
    digdag.env.store({"orders": pathlib.Path(path(td, database_folder))})


def path(td, database_folder="data"):
    return os.path.join(database_folder, td["database"] + ".sqlite")


def orders(count):
    rng = random.Random(42)
    return [(f"customer-{rng.randint(1, 9)}", rng.randint(1, 500)) for _ in range(count)]


if __name__ == "__main__":
    upload({"database": "by_hand"}, 10)
