"""Tests of the functions, without a workflow: `python3 -m pytest`, which needs pytest. `digdag.run` gives a function its arguments,
`digdag.stored` is what it handed to the tasks that follow."""


def test_load(digdag):
    digdag.run("tasks.data.load", rows=5, products=["apples", "pears"])
    assert len(digdag.stored["sales"]) == 5


def test_sum_up(digdag):
    sales = [["apples", 2], ["pears", 1], ["apples", 3]]
    digdag.run("tasks.data.sum_up", sales=sales, product="apples", query="queries/example.sql")
    assert digdag.stored == {"sold": {"apples": 5}}
