"""What makes a version readable for others: its statistics, plots, card and Croissant file, all from its rows.

They follow from the manifest and the rows, so that they are in no version's name; `verify` knows them by digest.
"""

import hashlib
from pathlib import Path

from instructgen.dataset.cards.card import make_card
from instructgen.dataset.cards.croissant import CROISSANT_NAME, encode_croissant
from instructgen.dataset.cards.plots import make_plots
from instructgen.dataset.cards.statistics import STATISTICS_NAME, encode_statistics, measure
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.stored import LocalVersion

CARD_NAME = "README.md"


def present(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Write statistics.json, assets/, croissant.json and README.md into the folder; return their digests by path.

    The folder must hold the manifest's shards. The same manifest and shards give the same bytes.
    """
    statistics = measure(LocalVersion(folder, manifest))
    texts = {
        STATISTICS_NAME: encode_statistics(statistics),
        CROISSANT_NAME: encode_croissant(manifest, statistics),
        CARD_NAME: make_card(manifest, "", statistics).encode("utf-8"),
    }
    texts |= {path: svg.encode("utf-8") for path, svg in make_plots(manifest, statistics).items()}
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    return {path: hashlib.sha256(text).hexdigest() for path, text in sorted(texts.items())}
