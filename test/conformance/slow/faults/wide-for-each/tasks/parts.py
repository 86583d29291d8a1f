import digdag


def find():
    digdag.env.store(
        {"parts": [{"name": f"part-{n}", "year": 2000 + n % 30} for n in range(20_000)]}
    )
