"""From handwriting to weights: `python -m train --help`."""
