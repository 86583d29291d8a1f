import digdag


def nested(depth, inner, around):
    for _ in range(depth):
        inner = around(inner)
    return inner


def depth_of(value):
    depth = 0
    while isinstance(value, (list, dict)):
        value = value[0] if isinstance(value, list) else value["k"]
        depth += 1
    return depth


def make(depth):
    digdag.env.store(
        {
            "x": nested(depth, 1, lambda inner: [inner]),
            "y": nested(depth, 1, lambda inner: {"k": inner}),
        }
    )


def use(x, y):
    print(depth_of(x), depth_of(y))
    digdag.env.store({"large": nested(900, "z" * 20_000, lambda inner: [inner])})


def again(large):
    print(depth_of(large))
