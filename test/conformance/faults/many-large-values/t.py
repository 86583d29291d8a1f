import digdag


def make(name, n, size):
    digdag.env.store({f"{name}{i}": str(i).ljust(size, "x") for i in range(n)})


def use(name, n, size):
    print(
        sum(
            digdag.env.params.get(f"{name}{i}") == str(i).ljust(size, "x")
            for i in range(n)
        )
    )
