"""The command line: one module a sub-command; argument parsing and printing only, no Qt.

A command module has two functions and imports nothing heavy at module level::

    def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
        parser = subparsers.add_parser("scan", help="...", description="...")
        parser.add_argument("paths", nargs="+", type=Path)
        return parser

    def run(args: argparse.Namespace) -> int:   # the exit code: 0, 1, 2 or 130
        ...

and one line in `app.cli.dispatch.COMMANDS`. See README.md.
"""
