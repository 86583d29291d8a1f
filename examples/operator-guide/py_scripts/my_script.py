"""The main script. It works as a task of a workflow and, by its __main__ guard, as a program of its own."""

import json
import sqlite3


def enrich(query, orders):
    """`orders` is the file that the loading task has stored."""
    with open(query) as file:
        sql = file.read()
    with sqlite3.connect(orders) as database:
        best = database.execute(sql).fetchall()
    for customer, count, spent in best:
        print(f"{customer}: {count} orders, {spent}")
    remember({"best_customers": [customer for customer, _, _ in best]})


def check(td, best_customers):
    """The end of the test: raises if the steps before it did not do their work."""
    if not td["database"].endswith("_test"):
        raise AssertionError(f"the test must not run on {td['database']}")
    if len(best_customers) != 3:
        raise AssertionError(f"expected 3 customers but got {json.dumps(best_customers)}")
    print(f"ok: {', '.join(best_customers)}")


def make_feature_query(columns):
    """Small functions can be tried one by one; this one is also what main_guard.dig runs."""
    feature_query = f"SELECT {', '.join(columns)} FROM orders"
    print(feature_query)
    remember({"feature_query": feature_query})
    return feature_query


def remember(values):
    """Stores variables for the tasks that follow, if there is a workflow."""
    try:
        import digdag
    except ImportError:
        print("not in a workflow: nothing is stored")
    else:
        digdag.env.store(values)


if __name__ == "__main__":
    make_feature_query(["customer", "amount"])
