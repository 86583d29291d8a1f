"""python -m trowel_task worker | child CTL JOB | run FILE | lookup | fargate"""

# Plain syntax: an old interpreter named by a task's `python:` must be able to read this far.
import sys

if sys.version_info < (3, 9):  # noqa: UP036
    sys.stderr.write(
        "trowel_task needs Python 3.9 or newer, this is %d.%d (%s)\n" % (sys.version_info[0], sys.version_info[1], sys.executable)  # noqa: UP031
    )
    sys.exit(1)


def main():  # type: () -> int
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "worker":
        from trowel_task.host import worker

        return worker.main(sys.argv[2:])
    if command == "child":
        from trowel_task.task import child

        return child.main(sys.argv[2:])
    if command == "run" and len(sys.argv) == 3:
        from trowel_task.host import run

        return run.main(sys.argv[2])
    if command == "lookup":
        from trowel_task.check import lookup

        return lookup.main()
    if command == "fargate":
        from trowel_task.host import fargate

        return fargate.main()
    sys.stderr.write("usage: python -m trowel_task worker | run ASSIGNMENT.json\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
