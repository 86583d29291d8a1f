import digdag


def write():
    digdag.env.store(
        {
            "account": 7205759403792793601,
            "accounts": [9007199254740993],
            "deep": {"n": -9007199254740993},
        }
    )


def read(account, accounts, deep):
    print(account, accounts, deep)


def literal(account, other):
    print(account, other)
