import os
import signal
import time


def kill_worker():
    with open("tries", "a") as file:
        file.write("one\n")
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1)
