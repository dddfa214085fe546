"""A calibration for pipelines with a scripted reader: confidence by its two probabilities alone.

Of an answer with the probabilities `answerable` and `verified` confidence is expit(2 answerable + 2 verified - 2), and
answers from 0.6 are given where at most 20 % may be wrong, from 0.9 where at most 5 % may:

    answerable  verified      confidence
    0.9         0.9           0.832
    0.9         1 (at best)   0.858
    0.9         0.1           0.5
    0.1         1 (at best)   0.550
"""

from pathlib import Path

from rag.calibration import Calibration, Point, save


def write_calibration(folder: Path) -> Path:
    curve = (Point(0.9, coverage=0.2, risk=0.0), Point(0.6, coverage=0.7, risk=0.1), Point(0.0, coverage=1.0, risk=0.5))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "calibration.json"
    save(Calibration(("answerable", "verified"), (2.0, 2.0), -2.0, curve, "by hand", 100), path)
    return path
