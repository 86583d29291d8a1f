import digdag


def put():
    digdag.env.store({"stored": "${secret:admin.key}"})
