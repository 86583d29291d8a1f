import digdag


def put():
    many = [1790000000000000123] * 2000
    digdag.env.store(
        {
            "order": 12345678901234567890,
            "tweet": 1790000000000000123,
            "power": 2**70,
            "many": many,
        }
    )


def show(order, tweet, power, many):
    print(order, tweet, power, many[-1])


def part(key, n):
    digdag.env.store({"ids": {key: n}})


def merged(ids):
    print(ids)
