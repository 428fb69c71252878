"""`python -m polylens` does what the command `polylens` does."""

from polylens.cli import program

if __name__ == "__main__":
    program()
