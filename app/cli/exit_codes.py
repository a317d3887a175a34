"""Exit codes of every command; the help page of `coxa` lists them."""

DONE = 0
PROBLEMS = 1  # finished, but something was refused or found damaged
USAGE = 2  # argparse's own code
REFUSED = 3  # a UserError: not possible, the reason is printed
BUG = 70
CANCELLED = 130
