"""Write one export, in a process of its own: what it takes to invent messages must not count as ours."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.office import DAYS, LAST_ON
from retention.demo.exports import bulk


def main() -> None:
    """Write the file that the first argument names, with as many rows as the second says."""
    path, rows = Path(sys.argv[1]), int(sys.argv[2])
    bulk(path, rows, seed=rows, last_on=LAST_ON, days=DAYS)


if __name__ == "__main__":
    main()
