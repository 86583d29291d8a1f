import digdag


def put():
    digdag.env.store(
        {"whole": 3.0, "tenth": 0.1, "huge": 1e300, "large": 1.2345678901234567e20}
    )


def show(whole, tenth, huge, large):
    print(type(whole).__name__, whole)
    for got, stored in ((tenth, 0.1), (huge, 1e300), (large, 1.2345678901234567e20)):
        print(got == stored, type(got).__name__, got)
