"""What answering takes."""

from collections.abc import Sequence

import numpy as np


def percentiles(values: Sequence[float], at: Sequence[float] = (50, 95)) -> tuple[float, ...]:
    """The values below which these per cent of all lie, in the order of `at` and the unit of `values`.

    Between two values it is interpolated linearly: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    Packages", The American Statistician 1996. Raises ValueError where there are no values or one isn't finite.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"Of {len(values)} values there are no percentiles: at least one is needed, all finite.")
    return tuple(np.percentile(values, at).tolist())
