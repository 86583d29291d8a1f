"""Runs a command on a pseudo-terminal: python3 terminal.py '{"argv": [...], "cwd": "...", "env": {...}, "steps": [[text to wait for, text to type], ...]}'.
Prints what the terminal was sent, and exits as the command did. Only what came since the last step is searched."""
import fcntl, json, os, pty, select, struct, sys, termios, time

spec = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    # The size must be there before the command looks.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.chdir(spec["cwd"])
    os.execve(spec["argv"][0], spec["argv"], spec["env"])
seen, since, steps, end = b"", 0, list(spec["steps"]), time.monotonic() + 25
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    if steps and steps[0][0].encode() in seen[since:]:
        since = len(seen)
        os.write(terminal, steps.pop(0)[1].encode())
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
