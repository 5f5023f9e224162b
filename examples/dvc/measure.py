"""Writes the measures of a dataset's latest version as DVC's metrics: python measure.py DATASET OUT.json"""

import json
import sys
from pathlib import Path

from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.publish import find_version


def main(dataset: Path, out: Path) -> None:
    manifest = read_manifest(find_version(dataset))
    metrics = manifest.metrics or {"total": {}}
    numbers = {name: value for name, value in metrics["total"].items() if isinstance(value, int | float)}
    out.write_text(json.dumps({"version": manifest.version, **numbers}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
