import sys
from importlib import import_module

from gru_training.overview import environment_of, no_such_command, not_here, overview


def run(arguments: list[str]) -> int:
    """Returns the exit code; what a command needs is imported once it is known which."""
    command = arguments[0] if arguments else ""
    if command in ("", "-h", "--help"):
        print(overview(), file=sys.stdout if command else sys.stderr)
        return 0 if command else 2
    environment = environment_of(command)
    if environment is None:
        print(no_such_command(command), file=sys.stderr)
        return 2
    try:
        commands = import_module(environment.module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gru_training"):
            raise
        # Their environment is without PyTorch, and that of training without their clients.
        print(not_here(command, environment, error.name), file=sys.stderr)
        return 2
    code: int = commands.main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
