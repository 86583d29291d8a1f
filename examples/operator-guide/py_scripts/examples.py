"""The functions that the small workflows of this folder call."""

import os


def print_arg(msg):
    print(f"Message is {msg}")


def print_args(msg, count, tags=(), greeting="Hi"):
    print(f"{greeting}: {msg}, {count} times, {', '.join(tags)}")


def print_kwargs(msg, **kwargs):
    """Takes everything, and so gets everything: the workflow's variables and the task's own keys too."""
    print(f"Message is {msg}")
    print(f"docker is {kwargs['docker']}")
    print(f"unasked for: task_name is {kwargs['task_name']}, timezone is {kwargs['timezone']}, and more")


def print_arg_td(msg, td=None):
    print(f"'msg' is {msg} and 'td' is {td}")


def print_types(**kwargs):
    for name in sorted(name for name in kwargs if name.startswith("a_")):
        print(f"{name}: {type(kwargs[name]).__name__} {kwargs[name]!r}")


def convert(count, ratio, enabled):
    """Says what it needs, whichever type came."""
    total = int(count) + 1
    share = float(ratio) / 2
    switched_on = str(enabled).lower() == "true"
    print(f"{total} {share} {switched_on}")


def print_env():
    print(f'Env var is {os.environ["MY_ENV_VAR"]}')


def access_td():
    apikey = os.environ["TD_API_KEY"]
    print(f"The API key is here and has {len(apikey)} characters")


def access_td_ng(apikey):
    print(apikey)


def read_workflow_env():
    import digdag

    print(digdag.env.params["my_msg"])


def read_workflow_env_beside(msg):
    import digdag

    print(f'{msg}: {digdag.env.params["my_msg"]}')


def store_workflow_env(msg):
    import digdag

    digdag.env.store({"my_msg": msg})


def error_sample():
    int("a1234")  # raises ValueError


def quoted_error():
    raise RuntimeError('the server said:\n\t"no such \'table\'" \\ ${not_a_variable} {"code": 42}')


if __name__ == "__main__":
    print_arg("default_argument")
