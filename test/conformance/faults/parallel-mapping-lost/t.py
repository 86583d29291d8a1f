import digdag


def put(i, n):
    digdag.env.store({"results": {f"r{i}" if isinstance(i, int) else i: "x" * n}})


def show(results):
    print(
        len(results),
        sorted(results)[:3],
        {key: len(value) for key, value in results.items()} if len(results) < 5 else "",
    )
