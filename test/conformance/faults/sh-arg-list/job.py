import digdag


def fill():
    digdag.env.store({f"part_{n}": "z" * 120_000 for n in range(20)})
    digdag.env.store({"page": "z" * 140_000})
