import digdag


def put():
    digdag.env.store({"whole": 3.0, "tenth": 0.1, "huge": 1e300})


def show(whole, tenth, huge):
    print(type(whole).__name__, whole, type(tenth).__name__, tenth, huge)
