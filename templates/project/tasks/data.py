"""Functions that the workflows call. Their arguments are the workflow's variables of the same names."""

import random
import sqlite3


def load(rows, products):
    rng = random.Random(1)
    sales = [[rng.choice(products), rng.randint(1, 9)] for _ in range(int(rows))]
    print(f"{len(sales)} sales loaded")
    store({"sales": sales})


def sum_up(sales, product, query):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE sales (product TEXT, quantity INTEGER)")
    database.executemany("INSERT INTO sales VALUES (?, ?)", sales)
    with open(query) as file:
        count, quantity = database.execute(file.read(), {"product": product}).fetchone()
    print(f"{product}: {count} sales, {quantity} pieces")
    store({"sold": {product: quantity or 0}})


def check(rows, sales, sold):
    """The end of the test: raises if the workflow did not do its work."""
    if len(sales) != int(rows):
        raise AssertionError(f"expected {rows} sales but got {len(sales)}")
    if sum(sold.values()) != sum(quantity for _, quantity in sales):
        raise AssertionError(f"the sums are wrong: {sold}")
    print("ok")


def store(values):
    """Hands values to the tasks that follow. Outside of a workflow there is no digdag to import."""
    try:
        import digdag
    except ImportError:
        print(values)
    else:
        digdag.env.store(values)


if __name__ == "__main__":
    load(5, ["apples", "pears"])
