import digdag


def fill():
    digdag.env.store({"page": "z" * 140_000, "near": "z" * 130_000})
