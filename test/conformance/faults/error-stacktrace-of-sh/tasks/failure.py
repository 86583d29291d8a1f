def tell(error, of):
    print(of, sorted(error), error["task"])
