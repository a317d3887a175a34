"""`python -m app`: the same as the `coxa` command. Imports neither Qt nor torch before a command needs them."""

from app.cli.main import entry_point

if __name__ == "__main__":
    entry_point()
