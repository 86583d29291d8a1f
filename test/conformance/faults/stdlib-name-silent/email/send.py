def now():
    print("mine")
