"""What happened, in order: kept in a file and told to the checker.

One line per event: `[name, {its fields}]`. `python3 -m chaos --check <file>`
judges a file again, without any process.
"""

import gzip
import json
import time

from chaos.checker import Checker


class History:
    def __init__(self, path=None, checker=None):
        self.checker = checker or Checker()
        self.file = path and gzip.open(path, "wt", compresslevel=1)

    def note(self, event, **fields):
        """Adds an event; `t` is now unless given."""
        fields.setdefault("t", time.monotonic())
        if self.file:
            self.file.write(json.dumps([event, fields]) + "\n")
        getattr(self.checker, event)(**fields)

    def close(self):
        if self.file:
            self.file.close()
            self.file = None


def replay(path):
    """The checker after all events of a file."""
    checker = Checker()
    with gzip.open(path, "rt") as lines:
        for line in lines:
            event, fields = json.loads(line)
            getattr(checker, event)(**fields)
    return checker
