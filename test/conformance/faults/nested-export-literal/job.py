def load(target):
    print(target["path"])


def show(path):
    print(path)
