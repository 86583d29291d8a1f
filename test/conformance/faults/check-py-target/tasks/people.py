print("imported")


def add(to):
    pass


def greet(name="nobody"):
    pass


class Book:
    def close(self):
        pass
